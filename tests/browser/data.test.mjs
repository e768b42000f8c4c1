/* The data, and a digit that is drawn. */
import assert from "node:assert/strict";
import { announced, draw, eventually, openPanel, ring, set, status, test, trainToEnd, until } from "./harness.mjs";

const verdict = (page) => page.locator("#panel-data .verdict").textContent();

/** A net that knows all ten digits. */
async function trainDigits(page) {
    await set(page, "data", "all");
    await set(page, "cell of run A", "gru");
    await set(page, "epochs", "10");
    await until("the data", async () => /1497 samples/.test(await status(page)));
    await trainToEnd(page);
    await openPanel(page, "Data");
}

const DRAWINGS = {
    0: [ring(0.5, 0.5, 0.4, 0.7)],
    1: [[[0.5, 0.1], [0.5, 0.9]]],
    4: [[[0.45, 0.1], [0.2, 0.6], [0.78, 0.6]], [[0.6, 0.4], [0.6, 0.92]]],
    7: [[[0.25, 0.12], [0.75, 0.12], [0.45, 0.9]]],
};

/** In a corner of the pad. */
const small = (strokes) => strokes.map((stroke) => stroke.map(([x, y]) => [0.05 + 0.4 * x, 0.5 + 0.45 * y]));

test("A drawn digit is recognized, wherever and however large it is", async ({ page }) => {
    await trainDigits(page);
    for (const [digit, strokes] of Object.entries(DRAWINGS)) {
        await page.getByRole("button", { name: "Clear" }).click();
        await draw(page, digit === "0" ? strokes : small(strokes));
        await until(`the prediction ${digit}, not "${await verdict(page)}"`, async () => (await verdict(page)).startsWith(`This is a ${digit}: `));
        await eventually(async () => assert.equal(await announced(page), await verdict(page)));
    }
    await eventually(async () => assert.equal(await page.locator("#panel-data .bar").count(), 10));
    await page.getByRole("button", { name: "Undo" }).click();
    await eventually(async () => assert.match(await verdict(page), /^Nothing is drawn/));
});

test("A drawing gets the label that is predicted, and is forgotten with its data", async ({ page }) => {
    await openPanel(page, "Data");
    await draw(page, DRAWINGS[1]);
    const digit = await until("the prediction", async () => /^This is a ([01]): /.exec(await verdict(page))?.[1]);
    assert.equal(await page.getByLabel("Label of the drawing").inputValue(), digit);
    await page.locator("#panel-data").getByRole("button", { name: "Look inside" }).click();
    await until("the drawing", () => page.getByText(/your own sample/).isVisible());
    await openPanel(page, "Train");
    await set(page, "cell of run A", "gru");
    await set(page, "data", "adding");
    await until("the data", async () => /8333 samples/.test(await status(page)));
    await openPanel(page, "Look inside");
    await until("a sample of the data", async () => /loss/.test(await page.locator(".look-verdict").textContent()) && !(await page.getByText(/your own sample/).count()));
    await eventually(async () => assert.ok(await page.locator("#panel-look .empty").isHidden()));
});

test("The prediction changes with each stroke", async ({ page }) => {
    await trainDigits(page);
    const [first, second] = DRAWINGS[4];
    await draw(page, [first]);
    const before = await until("a prediction", async () => /^This/.test(await verdict(page)) && (await page.locator("#panel-data .bars").textContent()));
    await draw(page, [second]);
    await until("another one", async () => (await page.locator("#panel-data .bars").textContent()) !== before);
});

test("A digit is drawn by keyboard", async ({ page }) => {
    await openPanel(page, "Data");
    await page.locator(".pad").focus();
    await page.keyboard.press("Space");
    for (let i = 0; i < 18; i++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Space");
    await until("a prediction", async () => /^This is a [01]: /.test(await verdict(page)));
    await page.keyboard.press("Delete");
    await until("an empty pad", async () => /^Nothing/.test(await verdict(page)));
});

test(
    "A digit is drawn by touch",
    async ({ page }) => {
        await openPanel(page, "Data");
        await page.locator(".pad").scrollIntoViewIfNeeded();
        const box = await page.locator(".pad").boundingBox();
        await page.touchscreen.tap(box.x + box.width / 2, box.y + box.height / 2);
        await until("a prediction", async () => /^This is a [01]: /.test(await verdict(page)));
    },
    { phone: true },
);

test("A drawing is added to the training data, and learned", async ({ page }) => {
    await openPanel(page, "Data");
    await draw(page, DRAWINGS[1]);
    await page.getByLabel("Label of the drawing").selectOption("1");
    await page.getByRole("button", { name: "Add to training data" }).click();
    await until("the sample", async () => /Added a 1.* 301 training samples/.test(await announced(page)));
    await until("the count", async () => /of 301/.test(await page.locator("#panel-data .range").textContent()));
});

test("The samples are shown with what is predicted, in pages, and only the wrong ones on demand", async ({ page }) => {
    await openPanel(page, "Data");
    const samples = page.locator("#panel-data .sample");
    await until("the samples", async () => (await samples.count()) === 24);
    await page.getByRole("button", { name: "Next" }).click();
    await until("the next page", async () => /^25 to 48 of 300/.test(await page.locator("#panel-data .range").textContent()));
    await page.getByLabel("only wrong ones").check();
    const wrong = await until("the wrong ones", async () => {
        const [, n] = (await page.locator("#panel-data .range").textContent()).match(/^1 to \d+ of (\d+)/) ?? [];
        return n && Number(n) < 300 && Number(n);
    });
    assert.ok(wrong > 50, "an untrained net is wrong often");
    await eventually(async () => assert.equal(await page.locator("#panel-data .sample.is-wrong").count(), Math.min(24, wrong)));
    await eventually(async () => assert.match(await samples.first().textContent(), /^[01]✗ [01], wrong$/));
    await page.locator("summary", { hasText: "The samples as a table" }).click();
    await eventually(async () => assert.equal(await page.locator("#panel-data .scroll tbody tr").first().locator("td").last().textContent(), "no"));
    await page.locator("summary", { hasText: "Labels against predictions" }).click();
    const counts = page.getByRole("region", { name: "Labels against predictions" }).locator("tbody td");
    await until("two rows", async () => (await counts.count()) === 6);
    const [zero, right0, wrong0, one, wrong1, right1] = (await counts.allTextContents()).map(Number);
    assert.deepEqual([zero, one, wrong0 + wrong1, right0 + right1], [0, 1, wrong, 300 - wrong]);
});

test("Sequences are lines, texts are text", async ({ page }) => {
    await set(page, "cell of run A", "gru");
    await set(page, "data", "adding");
    await until("the data", async () => /8333 samples/.test(await status(page)));
    await openPanel(page, "Data");
    await until("lines", async () => (await page.locator("#panel-data .lines").count()) === 24);
    await openPanel(page, "Train");
    await set(page, "data", "arithmetic");
    await openPanel(page, "Data");
    await until("texts", async () => (await page.locator("#panel-data .tokens").count()) === 24);
});
