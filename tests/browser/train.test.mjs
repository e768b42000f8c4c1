/* Training: by buttons and keys, one run and two, and what it says. */
import assert from "node:assert/strict";
import { announced, press, result, set, status, test, textOf, trainToEnd, type, until, updates } from "./harness.mjs";

test(
    "The first training step is done within a second of opening",
    async ({ context, address }) => {
        const times = [];
        while (times.length < 5 && !(Math.min(...times) < 1000)) {
            const page = await context.newPage();
            const start = Date.now();
            await page.goto(address);
            await press(page, "Step");
            await until("an update", async () => (await updates(page))[0] === 1);
            times.push(Date.now() - start);
            await page.close();
        }
        assert.ok(Math.min(...times) < 1000, `took ${times} ms`);
    },
    { alone: true },
);

test("The first text learns to tell every 0 from every 1", async ({ page }) => {
    const words = await trainToEnd(page);
    assert.match(words, /^After 300 updates: 100 % right on 60 validation samples, 100 % right on those of training;/);
    assert.match(words, /Without a net, the most frequent label: 55 %\.$/);
    assert.equal(await announced(page), words);
});

test("Pause, step and reset do as they say", async ({ page }) => {
    await press(page, "Train");
    await until("training", async () => (await updates(page))[0] > 5);
    await press(page, "Pause");
    await until("the pause", async () => (await announced(page)).startsWith("After"));
    const [paused] = await updates(page);
    await page.waitForTimeout(300);
    assert.deepEqual(await updates(page), [paused]);
    await press(page, "Step");
    await until("a step", async () => (await updates(page))[0] === paused + 1);
    await press(page, "Reset");
    await until("the reset", async () => (await updates(page)).length === 0);
    assert.match(await announced(page), /^Reset/);
    await press(page, "Step");
    await until("the first step", async () => (await updates(page))[0] === 1);
});

test("Train, pause and step have keys", async ({ page }) => {
    await page.locator(".cm-content").click();
    const text = await textOf(page);
    await page.keyboard.press("Control+Shift+Enter");
    await until("a step", async () => (await updates(page))[0] === 1);
    await page.keyboard.press("Control+Enter");
    await until("training", async () => (await updates(page))[0] > 10);
    await page.keyboard.press("Control+Enter");
    await until("the pause", () => page.getByRole("button", { name: "Train", exact: true }).isVisible());
    assert.equal(await textOf(page), text);
});

test("The learning rate and the optimizer change while a run trains", async ({ page }) => {
    await press(page, "Train");
    await until("training", async () => (await updates(page))[0] > 5);
    await set(page, "learning rate of run A", "0.001");
    await set(page, "optimizer of run A", "adam");
    const [changed] = await updates(page);
    await until("training on", async () => (await updates(page))[0] > changed + 10);
    await press(page, "Pause");
    assert.ok((await updates(page))[0] > changed);
    await set(page, "learning rate of run A", "fast");
    await until("the message", async () => /learning-rate: got "fast"/.test(await announced(page)));
    assert.equal(await page.getByLabel("learning rate of run A").inputValue(), "0.001");
});

test("Two runs from one seed make the same updates, and equal ones have equal curves", async ({ page }) => {
    await page.getByLabel("compare two runs").check();
    await set(page, "pace", "1000");
    await press(page, "Train");
    await until("the end", () => page.getByRole("button", { name: "Train on" }).isVisible());
    const words = await until("the result", () => result(page));
    const [a, b] = words.split(/ (?=Run B)/);
    assert.equal(a.replace("Run A", ""), b.replace("Run B", ""));
    assert.deepEqual(await updates(page), [300, 300]);
});

test("Cells, optimizers and gradients are compared side by side", async ({ page }) => {
    await page.getByLabel("compare two runs").check();
    await set(page, "cell of run A", "curnn-blog");
    await set(page, "cell of run B", "curnn-blog");
    await set(page, "gradients of run B", "as published");
    await set(page, "epochs", "3");
    await set(page, "pace", "Infinity");
    await press(page, "Train");
    await until("the end", () => page.getByRole("button", { name: "Train on" }).isVisible());
    const words = await until("the result", () => result(page));
    const [a, b] = words.split(/ (?=Run B)/);
    assert.notEqual(a.replace("Run A", ""), b.replace("Run B", ""));
    const [one, two] = await updates(page);
    assert.equal(one, two);
    assert.ok(one > 0);
    await page.locator("summary", { hasText: "The epochs as a table" }).click();
    const cells = page.locator("#panel-train .scroll tbody tr").first().locator("td");
    assert.equal(await cells.count(), 8);
    assert.equal(await cells.first().textContent(), "1");
});

test("A loss that becomes NaN gives the library's message, and the page trains again", async ({ page }) => {
    await set(page, "learning rate of run A", "1e38");
    await press(page, "Train");
    await until("the message", async () => /the loss became (NaN|infinite) in epoch/.test(await announced(page)));
    assert.match(await page.locator("#panel-train .problem").textContent(), /try a lower `?learning-rate`? than 1e\+38/);
    await set(page, "learning rate of run A", "");
    await until("another run", async () => (await page.locator("#panel-train .problem").isHidden()));
    assert.match(await trainToEnd(page), /100 % right on 60 validation samples/);
});

test("The article's four samples are learned", async ({ page }) => {
    await set(page, "data", "four");
    await until("the data", async () => /4 samples/.test(await status(page)));
    assert.match(await trainToEnd(page), /100 % right on 4 validation samples/);
});

test("Every option of the command is in the list", async ({ page }) => {
    await page.locator("summary", { hasText: "More options" }).click();
    await page.getByLabel(/^dropout/).fill("0.5");
    await page.getByLabel(/^dropout/).press("Enter");
    await type(page, "cell mine\n  state h\n  map W, U\n  h' = tanh(W h + U x)\n");
    await until("the new cell", async () => /^mine/.test(await status(page)));
    assert.match(await trainToEnd(page), /^After 300 updates/);
});
