/* Helpers for elements. */

type Attributes = Record<string, string | number | boolean | null | undefined | ((event: any) => void)>;
export type Child = Node | string | number | null | undefined | false;

/** h("button", { class: "quiet", onclick: run, disabled: !ready }, "Run"). A true attribute is present, a false or null one not. */
export function h<K extends keyof HTMLElementTagNameMap>(
    tag: K,
    attributes: Attributes = {},
    ...children: Child[]
): HTMLElementTagNameMap[K] {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === "function") element.addEventListener(name.slice(2), value);
        else if (value !== false && value !== null && value !== undefined)
            element.setAttribute(name, value === true ? "" : String(value));
    }
    element.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map(asNode));
    return element;
}

const asNode = (child: Child): Node | string => (child instanceof Node ? child : String(child));

/** "1 update", "2 updates". */
export const count = (n: number | string, thing: string): string => `${n} ${thing}${Number(n) === 1 ? "" : "s"}`;

/** Details whose content is made when they are opened. */
export function details(summary: string, isOpen: boolean, content: () => Node): HTMLDetailsElement {
    const fill = () => {
        if (element.childElementCount === 1) element.append(content());
    };
    // "toggle" comes after the details are seen open; without a click, a search in the page opens them.
    const element = h("details", { open: isOpen, ontoggle: () => element.open && fill() }, h("summary", { onclick: fill }, summary));
    if (isOpen) fill();
    return element;
}

/** An icon of 16 x 16: the path of a stroke. Decoration only. */
export function icon(path: string): SVGSVGElement {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
}

export const icons = {
    play: "M5 3.5v9l7-4.5z",
    pause: "M5 3.5v9M11 3.5v9",
    step: "M4 3.5v9l6-4.5zM12 3.5v9",
    reset: "M3.5 8a4.5 4.5 0 1 0 1.6-3.4M3.5 2.5v3h3",
    share: "M6.5 9.5l3-3M7.5 4.5l1-1a2.8 2.8 0 0 1 4 4l-1 1M8.5 11.5l-1 1a2.8 2.8 0 0 1-4-4l1-1",
    download: "M8 2.5v7.5M5 7l3 3 3-3M3 13h10",
    theme: "M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11",
    book: "M8 4c-1.5-1-3.5-1-5-.5v8.5c1.5-.5 3.5-.5 5 .5 1.5-1 3.5-1 5-.5V3.5c-1.5-.5-3.5-.5-5 .5zM8 4v8.5",
    open: "M2.5 12.5v-9h4l1.5 2h5.5v7z",
    format: "M3 4h10M5 8h8M3 12h6",
    tour: "M8 11.5v.1M6 6a2 2 0 1 1 2.8 1.8c-.6.3-.8.7-.8 1.5M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z",
    close: "M4 4l8 8M12 4l-8 8",
};

/** Lets the browser save a file. */
export function saveFile(name: string, content: BlobPart, type = "application/octet-stream"): void {
    const address = URL.createObjectURL(new Blob([content], { type }));
    h("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
}

/* ---- colours ---- */

let probe: HTMLElement | undefined;
const known = new Map<string, string>(); // until colours change

/** What a colour of style.css, such as "--accent", is now: for canvases. */
export function color(name: string): string {
    let found = known.get(name);
    if (!found) {
        probe ??= document.body.appendChild(h("span", { hidden: true }));
        probe.style.color = `var(${name})`;
        found = getComputedStyle(probe).color;
        known.set(name, found);
    }
    return found;
}

/** Calls when colours change between light and dark. */
export function onTheme(listener: () => void): void {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener);
    new MutationObserver(listener).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

onTheme(() => known.clear()); // before all others, which are called in their order

/** Calls once things have been quiet for some milliseconds. */
export function debounce(milliseconds: number, action: () => void): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    return () => {
        clearTimeout(timer);
        timer = setTimeout(action, milliseconds);
    };
}
