import type { App } from "../app";

/** Opens the tour in the element, which is hidden until then. */
export interface Tour {
    start(): void;
}

export function mount(root: HTMLElement, app: App): Tour {
    void app;
    return {
        start() {
            root.hidden = false;
        },
    };
}
