/* Finding the line of a text that defines a name. */

import type { App } from "./app";
import type { RunIndex } from "./protocol";

export interface Equation {
    line: number; // from 1, in the editor's text; 0: in the text of a built-in cell
    text: string;
}

/** The text that a run's net was read from. */
async function textOf(app: App, run: RunIndex): Promise<{ text: string; isOwn: boolean }> {
    const model = app.runs.settings(run)["model"] ?? "";
    if (model === "" || model.startsWith(":")) return { text: app.runs.run[run].text, isOwn: true };
    const cells = await app.catalogue.then(({ cells }) => cells).catch(() => []);
    return { text: cells.find(({ name }) => name === model)?.text ?? "", isOwn: false };
}

/** What the net calls a value, as the text calls it: "layer1/Wg" is Wg, "new h" is h, "pre-g" is the argument of g. */
const inText = (name: string) => name.replace(/^.*\//, "").replace(/^(new |pre-)/, "");

/** The line that defines a value or, of a parameter, the first that uses it. Derivations do not count. */
export async function equationOf(app: App, run: RunIndex, name: string): Promise<Equation | null> {
    const { text, isOwn } = await textOf(app, run);
    const word = inText(name).replace(/[^A-Za-z0-9_]/g, "\\$&");
    const lines = text.split("\n");
    const end = lines.findIndex((line) => /^derive\b/.test(line));
    const own = end < 0 ? lines : lines.slice(0, end);
    const defines = new RegExp(
        `^\\s+([A-Za-z_][\\w']*\\s*,\\s*)*${word}'?(\\[[^\\]]*\\])?(\\s*,\\s*[A-Za-z_][\\w']*)*\\s*=(?!=)`,
    );
    const uses = new RegExp(`=.*(?<![\\w])${word}(?![\\w'])`);
    const declares = new RegExp(`^\\s+(input|constant|parameter)\\b.*(?<![\\w])${word}(?![\\w])`);
    for (const pattern of [defines, uses, declares]) {
        const at = own.findIndex((line) => pattern.test(line.replace(/#.*/, "")));
        if (at >= 0) return { line: isOwn ? at + 1 : 0, text: own[at]!.replace(/\s+#.*/, "").trim() };
    }
    return null;
}
