/* Looking inside a net, and derivations that are judged as they are typed. */
import assert from "node:assert/strict";
import { announced, draw, eventually, openPanel, press, ring, set, status, test, textOf, type, until } from "./harness.mjs";

const panel = (page) => page.locator("#panel-look");
const strip = (page, name) => panel(page).getByRole("button", { name, exact: true });
const detail = (page) => page.getByLabel("Selected value");
const title = (page) => detail(page).locator("h2 code").textContent();

async function look(page) {
    await openPanel(page, "Look inside");
    await strip(page, "forward of h").waitFor();
    await until("the selected value", async () => (await detail(page).locator("canvas").count()) === 2);
}

/** The numbers of a table of the selected value. */
async function numbers(page, direction) {
    const details = detail(page)
        .locator("details")
        .filter({ hasText: `Numbers ${direction}` });
    if (!(await details.evaluate(({ open }) => open))) await details.locator("summary").click();
    await details.locator("tbody tr").first().waitFor();
    const rows = await details
        .locator("tbody tr")
        .evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
    return rows.map((row) => row.map((cell) => Number(cell.replaceAll("\u2212", "-"))));
}

/** Clicks a tile of a strip, so far from its left end. */
async function clickAt(strip, fraction) {
    const { width, height } = await strip.boundingBox();
    await strip.click({ position: { x: fraction * width, y: height / 2 } });
}

const norm = (rows) => Math.hypot(...rows.flat());
const picture = (page, locator) =>
    locator
        .locator("canvas")
        .first()
        .evaluate((canvas) => canvas.toDataURL());

test("The gradient is scrubbed through time by slider and arrow keys", async ({ page }) => {
    await look(page);
    await eventually(async () => assert.equal(await title(page), "h[1]"));
    const first = await picture(page, detail(page).locator("figure").nth(1));
    const strips = await picture(page, strip(page, "backward of h"));
    await page.getByRole("slider", { name: "Time step" }).focus();
    await page.keyboard.press("ArrowRight");
    await until("step 2", async () => (await title(page)) === "h[2]");
    await eventually(async () => assert.match(await announced(page), /^h\[2\]: .*, gradient of norm [\d.e\u2212]+$/));
    assert.notEqual(await picture(page, detail(page).locator("figure").nth(1)), first);
    assert.notEqual(await picture(page, strip(page, "backward of h")), strips); // the frame moves
    await strip(page, "backward of h").focus();
    await page.keyboard.press("ArrowLeft");
    await until("step 1", async () => (await title(page)) === "h[1]");
    await eventually(async () => assert.equal(await picture(page, detail(page).locator("figure").nth(1)), first));
    await eventually(async () => assert.equal(await picture(page, strip(page, "backward of h")), strips));
    await page.keyboard.press("ArrowUp"); // to the strip above, which is of h, too
    await page.keyboard.press("ArrowUp");
    await until("the candidate", async () => (await title(page)) === "c[1]");
});

test("A clicked value shows its equation, its numbers, and the terms of its gradient", async ({ page }) => {
    await look(page);
    await clickAt(strip(page, "forward of g"), 0.8);
    await until("g[2]", async () => (await title(page)) === "g[2]");
    await eventually(async () => assert.match(await detail(page).locator(".look-source").textContent(), /^g = sigmoid\(conv\(x, Wxg\[5, 5\]\)/));
    const forward = await numbers(page, "forward");
    assert.equal(forward.length, 4);
    assert.ok(forward.flat().length === 16 && forward.flat().every((g) => g > 0 && g < 1));

    // h is used by both convolutions and by its own next value
    await clickAt(strip(page, "forward of h"), 0.2);
    await until("h[1]", async () => (await title(page)) === "h[1]");
    await eventually(async () => assert.match(await detail(page).locator(".look-terms p").textContent(), /^Its gradient is the sum of \d terms:$/));
    const terms = await detail(page)
        .locator(".look-terms tbody tr")
        .evaluateAll((all) => all.map((row) => [row.cells[0].textContent, Number(row.cells[3].textContent)]));
    assert.ok(terms.some(([name]) => name === "h[2]"));
    const whole = norm(await numbers(page, "backward"));
    assert.ok(Math.max(...terms.map(([, size]) => size)) > 0.3 * whole);
    assert.ok(terms.reduce((sum, [, size]) => sum + size, 0) > 0.98 * whole); // triangle inequality

    await detail(page).getByRole("button", { name: "h[2]" }).click();
    await until("the term's value", async () => (await title(page)) === "h[2]");
    await detail(page).locator(".look-source").click();
    await until("the editor", () => page.evaluate(() => document.activeElement?.id === "editor"));
});

test("A parameter shows the terms of its gradient, one per time step that uses it", async ({ page }) => {
    await look(page);
    await panel(page).getByRole("button", { name: /^Wxg/ }).first().click();
    await until("Wxg", async () => (await title(page)) === "Wxg");
    await eventually(async () => assert.equal((await numbers(page, "forward")).length, 5));
    await eventually(async () => assert.match(await detail(page).locator(".look-terms p").textContent(), /^Its gradient (is the sum of \d+ terms|comes through one term):$/));
});

test("The pictures follow a run that trains", async ({ page }) => {
    await look(page);
    const before = await panel(page).locator(".look-verdict").textContent();
    assert.match(before, /^class [01], predicted [01] \(\d+ %\) [\u2713\u2717], loss [\d.e\u2212]+$/);
    await page.keyboard.press("Control+Enter");
    await until("another loss", async () => (await panel(page).locator(".look-verdict").textContent()) !== before);
    await page.keyboard.press("Control+Enter");
    const sample = panel(page).getByLabel("Validation sample");
    await panel(page).getByRole("button", { name: "Next sample" }).click();
    await eventually(async () => assert.equal(await sample.inputValue(), "2"));
});

test("A drawn digit is looked into, until a sample of the data is chosen", async ({ page }) => {
    await openPanel(page, "Data");
    await draw(page, [ring(0.5, 0.5, 0.5, 0.8)]);
    await page.locator("#panel-data").getByRole("button", { name: "Look inside" }).click();
    const verdict = panel(page).locator(".look-verdict");
    await until("the drawing", async () => /your own sample$/.test((await verdict.textContent()) ?? ""));
    const drawn = await picture(page, strip(page, "forward of input"));
    await panel(page).getByRole("button", { name: "Next sample" }).click();
    await until("a sample of the data", async () => !/your own sample/.test(await verdict.textContent()));
    assert.notEqual(await picture(page, strip(page, "forward of input")), drawn);
});

test("A forget bias decides whether the gradient vanishes", async ({ page }) => {
    await set(page, "cell of run A", "lstm");
    await set(page, "data", "adding");
    await set(page, "units of run A", "4");
    await until("the run", async () => /^lstm, .* 8333 samples/.test(await status(page)));
    const row = panel(page)
        .locator(".look-norm")
        .filter({ has: page.locator("code", { hasText: /^c$/ }) });
    // Each is another picture than the one before.
    for (const [bias, words] of [["6", /per step back$/], ["0", /per step back: vanishes$/], ["6", /per step back$/]]) {
        await openPanel(page, "Train");
        await set(page, "forget bias of run A", bias);
        await openPanel(page, "Look inside");
        await eventually(async () => assert.match(await row.textContent(), words));
    }
    await panel(page).locator("summary", { hasText: "Numbers of these bars" }).click();
    await until("the table", async () => (await panel(page).locator(".look-norms tbody tr").count()) > 2);
});

/* ---- derivations ---- */

const TEXT = `model line(n=3)
  input x[n, 2], y[n, 1]
  z = x @ W[_, 4]
  a = tanh(z)
  output = a @ V[_, 1]
  loss = sum((output - y)^2) / 2

derive loss "by hand"
  doutput = output - y
  dV = a' @ doutput
  da = doutput @ V'
  dz = da.(1 - a)
  dW = x' @ dz
`;

const derivation = (page) => page.locator("#panel-derivation");
const marks = (page) =>
    page.locator(".cm-verdicts [role=img]").evaluateAll((all) => all.map((mark) => mark.textContent).join(""));

test("A mistake in a derivation is marked as it is typed, and its repair is applied", async ({ page }) => {
    await openPanel(page, "Derivation");
    await type(page, TEXT);
    await until("verdicts", async () => (await marks(page)) === "\u2713\u2713\u2713\u2717\u2713");
    await derivation(page).getByText("5 lines judged, 1 wrong.").waitFor();
    const wrong = derivation(page).locator(".judged-wrong");
    await eventually(async () => assert.match(await wrong.textContent(), /wrong: cosine [\d.]+, ratio [\d.]+, error [\d.]+/));
    await wrong.locator(".judged-repair").waitFor();
    await eventually(async () => assert.equal(await wrong.locator(".judged-repair code").textContent(), "dz = da.(1 - a^2)"));
    await wrong.getByRole("button", { name: "Apply" }).press("Enter");
    await until("all right", async () => (await marks(page)) === "\u2713\u2713\u2713\u2713\u2713");
    await eventually(async () => assert.match(await textOf(page), /\n {2}dz = da\.\(1 - a\^2\)\n/));
    await until("the count", async () => (await announced(page)) === "5 lines judged, 0 wrong.");
});

test("A derivation trains beside autodiff, and its gradients are compared", async ({ page }) => {
    await set(page, "cell of run A", "curnn-blog");
    await openPanel(page, "Derivation");
    await page.getByRole("button", { name: "Open the article" }).click();
    const published = page.getByLabel("as published", { exact: true });
    await published.getByRole("button", { name: "Train with this derivation" }).click();
    await published.locator(".agreement").waitFor();
    const rows = await published
        .locator(".agreement tbody tr")
        .evaluateAll((all) => all.map((row) => [row.cells[0].textContent, row.cells[1].textContent]));
    assert.deepEqual(
        rows.filter(([, cosine]) => cosine === "1.0000").map(([name]) => name),
        ["W1", "W2"],
    );
    assert.equal(rows.at(-1)[0], "whole gradient");
    await openPanel(page, "Train");
    await press(page, "Step");
    await until("both runs", async () =>
        /A: .*1 update.*B: .*1 update/s.test(await page.locator("#panel-train .status").textContent()),
    );
});
