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
 *  standalone page), `seconds`, `alone` (no other test runs beside it). */
export function test(name, body, options = {}) {
    tests.push({ name, body, options });
}

/* ---- what a person does ---- */

/** Waits until a function of the page's state returns something true, and returns it. */
export async function until(what, get, seconds = 10) {
    const end = Date.now() + 1000 * seconds;
    for (;;) {
        const value = await get();
        if (value) return value;
        assert.ok(Date.now() < end, `${what} did not happen within ${seconds} s`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

/** Waits until an assertion about the page holds: what a person sees may be a moment behind what the page knows. */
export async function eventually(check, seconds = 10) {
    const end = Date.now() + 1000 * seconds;
    for (;;) {
        try {
            return await check();
        } catch (error) {
            if (Date.now() >= end) throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

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

/** Trains to the end. Returns the sentence. */
export async function trainToEnd(page, seconds = 20) {
    await set(page, "pace", "Infinity");
    await press(page, "Train");
    await until("the end of training", () => page.getByRole("button", { name: "Continue" }).isVisible(), seconds);
    return until("the result", () => result(page));
}

/** What was announced last. */
export const announced = (page) => page.locator("#announcer").textContent();

/** Draws strokes, whose points are fractions of the pad. */
export async function draw(page, strokes) {
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
