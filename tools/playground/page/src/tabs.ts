/* The panels on the right, one at a time: tabs as in the ARIA practices. */

import type { App } from "./app";
import { h } from "./dom";
import { mount as mountData } from "./panels/data";
import { mount as mountDerivation } from "./panels/derivation";
import { mount as mountLook } from "./panels/look";
import { mount as mountTrain } from "./panels/train";
import type { PanelName } from "./state";
import { panels } from "./state";

const titles: Record<PanelName, string> = { train: "Train", data: "Data", look: "Look inside", derivation: "Derivation" };
const mounts = { train: mountTrain, data: mountData, look: mountLook, derivation: mountDerivation };

export function mountTabs(root: HTMLElement, app: App): void {
    const tabs = panels.map((name) =>
        h("button", { role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, onclick: () => app.showPanel(name) }, titles[name]),
    );
    const bodies = panels.map((name) =>
        h("div", { role: "tabpanel", id: `panel-${name}`, class: "panel", "aria-labelledby": `tab-${name}`, tabindex: 0 }),
    );
    const list = h("div", { class: "tabs", role: "tablist", "aria-label": "Panels" }, ...tabs);
    list.addEventListener("keydown", (event) => {
        const at = panels.indexOf(app.store.value.panel);
        const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: panels.length - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        const next = (to + panels.length) % panels.length;
        app.showPanel(panels[next] ?? "train");
        tabs[next]?.focus();
    });
    root.append(list, ...bodies);

    const show = () =>
        panels.forEach((name, i) => {
            const isShown = name === app.store.value.panel;
            tabs[i]?.setAttribute("aria-selected", String(isShown));
            tabs[i]?.setAttribute("tabindex", isShown ? "0" : "-1");
            if (bodies[i]) bodies[i].hidden = !isShown;
        });
    show();
    panels.forEach((name, i) => bodies[i] && mounts[name](bodies[i], app));
    app.store.on(["panel"], show);
}
