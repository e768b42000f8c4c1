import type { App } from "../app";

export function mount(root: HTMLElement, app: App): void {
    void root;
    void app;
}
