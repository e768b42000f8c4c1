/* The tour, as on a first visit. */
import assert from "node:assert/strict";
import { eventually, test, textOf, type, until } from "./harness.mjs";

const tour = (page) => page.locator("#tour");
const button = (page, name) => tour(page).getByRole("button", { name });
const minus = (text) => Number(text.replaceAll("\u2212", "-"));

const costs = (page) =>
    tour(page)
        .locator(".tour-costs tbody tr")
        .evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => Number(cell.textContent))));

test(
    "The whole tour is walked by keyboard, and each step measures what it tells",
    async ({ page }) => {
        await button(page, "Start the tour").press("Enter");
        const next = () => button(page, "Next").press("Enter");

        await tour(page).getByText("so the cost").waitFor();
        await eventually(async () => assert.equal(await page.evaluate(() => document.activeElement?.textContent), "A gate made of convolutions"));
        const [, o, label, cost] = /o = ([\d.]+) for sample 1, the digit (\d), .* is ([\d.]+)\./.exec(await tour(page).textContent());
        assert.ok(Math.abs((Number(o) - Number(label)) ** 2 / 2 - Number(cost)) < 1e-3);
        await eventually(async () => assert.equal(await tour(page).locator("tbody tr").count(), 5));

        await next();
        await tour(page).getByText("The published gradient has").waitFor();
        const cosines = [minus(/cosine (\S+) with/.exec(await tour(page).textContent())[1])];
        await button(page, "Find the mistakes").press("Enter");
        for (const name of ["dC2", "dh1", "dC1", "dG1", "dhp2"]) {
            await button(page, `Fix ${name}`).press("Enter");
            const after = tour(page)
                .locator(".tour-cosine")
                .nth(cosines.length - 1);
            await until(`the cosine after ${name}`, () => after.textContent());
            cosines.push(minus(await after.textContent()));
        }
        for (let i = 1; i < cosines.length; i++) assert.ok(cosines[i] > cosines[i - 1], `${cosines}`);
        assert.ok(cosines[0] < 0 && cosines.at(-1) === 1);
        await button(page, "All five are fixed").waitFor();
        await eventually(async () => assert.match(await textOf(page), /dh1 = crop1\(dhp2\) \+ g2\.dh2/));

        await next();
        await button(page, "Done").waitFor();
        const trained = await costs(page);
        assert.equal(trained.length, 8);
        assert.ok(trained.at(-1)[1] < 3 && trained.at(-1)[2] > 10, `${trained}`);
        assert.match(await textOf(page), /dh1 = crop1\(dhp2\) \+ g2 /); // as published again

        await next();
        await tour(page).getByText("The net answers one half").waitFor();
        await eventually(async () => assert.match(await tour(page).textContent(), /0\.125 for a 0 and 0\.125 for a 1\. 350 \u00d7 0\.125 = 43\.75/));
        const kernels = await tour(page)
            .locator("tbody tr")
            .evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
        for (const [, recorded, stated] of kernels) assert.ok(recorded === "0" && Number(stated) > 1, `${kernels}`);

        await next();
        await button(page, "Done").waitFor();
        const [, momentum, adam] = (await costs(page)).at(-1);
        assert.ok(adam < momentum / 4, `${adam} and ${momentum}`);

        await next();
        await button(page, "Train").waitFor();
        await type(page, (await textOf(page)).replace("tanh", "relu"));
        await tour(page).getByText("parameters").waitFor();
        await button(page, "Train").press("Enter");
        await until("accuracy", async () => /After \d+ epochs [\d.]+ % of the digits/.test(await tour(page).textContent()));
        await button(page, "Keep this cell").press("Enter");
        await eventually(async () => assert.ok(await tour(page).isHidden()));
        await eventually(async () => assert.match(await textOf(page), /c = relu\(/));
        await page.reload();
        await page.locator("#panel-train .status").filter({ hasText: /./ }).waitFor();
        await eventually(async () => assert.ok(await tour(page).isHidden()));
    },
    { first: true },
);

test(
    "The tour is resumed after a reload, and puts the text back when it is closed",
    async ({ page }) => {
        const before = await textOf(page);
        await button(page, "Start the tour").click();
        await tour(page).getByText("so the cost").waitFor();
        await button(page, "Next").click();
        await tour(page).getByText("The published gradient has").waitFor();
        await page.reload();
        await tour(page).getByText("You were at step 2: Five mistakes.").waitFor();
        await button(page, "Continue").click();
        await tour(page).getByText("The published gradient has").waitFor();
        await page.keyboard.press("Escape");
        await eventually(async () => assert.ok(await tour(page).isHidden()));
        await until("the text", async () => (await textOf(page)) === before);
        await page.reload();
        await page.locator("#panel-train .status").filter({ hasText: /./ }).waitFor();
        await eventually(async () => assert.ok(await tour(page).isHidden()));
        await eventually(async () => assert.equal(await textOf(page), before));
        await page.getByRole("button", { name: "Tour" }).click();
        await tour(page).getByText("Tour, step 2 of 6").waitFor();
    },
    { first: true },
);

test(
    "The tour can be declined for good",
    async ({ page }) => {
        await button(page, "No, thanks").click();
        await page.reload();
        await page.locator("#panel-train .status").filter({ hasText: /./ }).waitFor();
        await eventually(async () => assert.ok(await tour(page).isHidden()));
    },
    { first: true },
);
