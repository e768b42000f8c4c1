/* Tests of the playground's page in Chromium. A file NAME.test.mjs calls test(..); run.mjs runs them.
 *
 *     test("Pause keeps the number of updates", async ({ page }) => { .. });
 *
 * Each test gets a page of its own, as on a first visit without the tour. It fails if it throws, and if the page reports
 * an error or a warning to the console, unless `errors` matches it. `measured(text)` adds to its line of the report. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";

export const tests = [];

/** Options: `phone`, `dark`, `hash` (of the address), `first` (the tour is not put away), `errors` (a RegExp), `file` (the
 *  standalone page), `alone` (no other test runs beside it). */
export function test(name, body, options = {}) {
    tests.push({ name, body, options });
}

/* ---- waiting ---- */

/* What follows from an action comes some time after it: a test waits for it, and for something that was not there before the
 * action. What must not follow is looked for after something later that must. `tools/dev browser --slow` finds those that do
 * not. */

const PATIENCE = 60; // seconds

/** Waits until a function of the page's state returns something true, and returns it. */
export async function until(what, get, seconds = PATIENCE) {
    const end = Date.now() + 1000 * seconds;
    for (;;) {
        const value = await get();
        if (value) return value;
        assert.ok(Date.now() < end, `${what} did not happen within ${seconds} s`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

/** Waits until an assertion about the page holds. */
export async function eventually(check) {
    const end = Date.now() + 1000 * PATIENCE;
    for (;;) {
        try {
            return await check();
        } catch (error) {
            if (Date.now() >= end) throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

/** An assertion holds now, and for some seconds more. */
export async function stays(check, seconds = 1) {
    const end = Date.now() + 1000 * seconds;
    do {
        await check();
        await new Promise((resolve) => setTimeout(resolve, 50));
    } while (Date.now() < end);
}

/* ---- what a person does ---- */

/** Downloads an item of the menu. */
export async function download(page, name) {
    await page.getByRole("button", { name: "Download" }).click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name }).click()]);
    return file;
}

/** Downloads an archive NAME.zip and unpacks it, checksums and all. Returns its folder, which is NAME. */
export async function unpacked(page, name, into) {
    const file = await download(page, name);
    const path = join(into, file.suggestedFilename());
    await file.saveAs(path);
    execFileSync("python3", ["-m", "zipfile", "-e", path, into]);
    return path.replace(/\.zip$/, "");
}

const BUTTON = { Train: /^(Train|Continue)$/, Pause: "Pause", Step: "Step", Reset: "Reset" };

/** Clicks a button of the panel Train. */
export const press = (page, name) => page.locator("#panel-train").getByRole("button", { name: BUTTON[name], exact: true }).click();

export const openPanel = (page, name) => page.getByRole("tab", { name, exact: true }).click();

const CONTENT = {
    Train: "#panel-train .plot canvas",
    Data: "#panel-data .sample",
    "Look inside": "#panel-look .look-detail canvas",
    Derivation: "#panel-derivation pre, #panel-derivation .judged",
};

/** Opens each panel, waits for what it shows, and calls. */
export async function inEachPanel(page, check) {
    for (const [panel, content] of Object.entries(CONTENT)) {
        await openPanel(page, panel);
        await page.locator(content).first().waitFor();
        await check(panel);
    }
}

/** Replaces the text in the editor as a person would: by typing. */
export async function type(page, text) {
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await page.keyboard.insertText(text);
}

/** The text in the editor, without the hints in it. */
export const textOf = (page) =>
    page.locator(".cm-content").evaluate((content) => {
        const copy = content.cloneNode(true);
        for (const hint of copy.querySelectorAll(".cm-shape")) hint.remove();
        return [...copy.querySelectorAll(".cm-line")].map((line) => line.textContent).join("\n");
    });

/** Sets a control of the panel Train. */
export async function set(page, label, value) {
    const field = page.getByLabel(label, { exact: true });
    if (await field.evaluate((element) => element.tagName === "SELECT")) return field.selectOption(value);
    await field.fill(value);
    await field.press("Enter");
}

/** The line below the buttons. */
export const status = (page) => page.locator("#panel-train .status").textContent();

/** The updates of each run. */
export const updates = async (page) => [...(await status(page)).matchAll(/(\d+) updates?(?![s/])/g)].map((match) => Number(match[1]));

/** The sentence after a run. */
export const result = (page) => page.locator("#panel-train .words").textContent();

/** The sentence after the updates that the status shows. */
export const resultNow = (page) =>
    until("the result", async () => {
        const [words, [made]] = [await result(page), await updates(page)];
        return new RegExp(`fter ${made} updates?:`).test(words) && words;
    });

/** Trains to the end. Returns the sentence. */
export async function trainToEnd(page) {
    await set(page, "pace", "Infinity");
    await press(page, "Train");
    await until("the end of training", () => page.getByRole("button", { name: "Continue" }).isVisible());
    return resultNow(page);
}

/** What was announced last. */
export const announced = (page) => page.locator("#announcer").textContent();

/** Draws strokes, whose points are fractions of the pad. */
export async function draw(page, strokes) {
    await page.locator(".pad").scrollIntoViewIfNeeded(); // once it is seen
    const box = await page.locator(".pad").boundingBox();
    const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
    for (const [first, ...rest] of strokes) {
        await page.mouse.move(...at(first));
        await page.mouse.down();
        for (const point of rest) await page.mouse.move(...at(point), { steps: 6 });
        await page.mouse.up();
    }
}

/** An ellipse as a stroke. */
export const ring = (x, y, width, height) =>
    Array.from({ length: 33 }, (_, i) => [
        x + (width / 2) * Math.sin((i * Math.PI) / 16),
        y - (height / 2) * Math.cos((i * Math.PI) / 16),
    ]);
