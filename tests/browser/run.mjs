/* run.mjs PAGE RECURVE [--slow] [PATTERN]: tests the page in the folder PAGE, which `tools/dev playground --output` wrote, with
 * the command RECURVE; only those whose names match PATTERN, a regular expression; --slow: as on a slow machine (slow.mjs).
 * Called by `tools/dev browser`. */
import { readdirSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { tests } from "./harness.mjs";
import { slow } from "./slow.mjs";

const isSlow = process.argv[4] === "--slow";
const [folder, recurve, pattern = ""] = process.argv.slice(2).filter((argument) => argument !== "--slow");
const PARALLEL = 2;
const SECONDS = isSlow ? 600 : 240; // for a test
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };

/* As any web server: no special headers. */
const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(request.url.split(/[?#]/)[0])).replace(/\/$/, "/index.html");
    try {
        const content = await readFile(join(folder, path));
        if (isSlow) await new Promise((resolve) => setTimeout(resolve, 300));
        response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" }).end(content);
    } catch {
        response.writeHead(404).end();
    }
});
await new Promise((resolve) => server.listen(0, "localhost", resolve));
const address = `http://localhost:${server.address().port}/`;

const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"],
});
const scratch = await mkdtemp(join(tmpdir(), "recurve-browser-"));

async function runOne({ name, body, options }, measured) {
    const complaints = [];
    const complain = (text) => {
        if (!options.errors?.test(text)) complaints.push(text);
    };
    const context = await browser.newContext({
        viewport: options.phone ? { width: 390, height: 844 } : { width: 1280, height: 860 },
        hasTouch: options.phone === true,
        colorScheme: options.dark ? "dark" : "light",
        acceptDownloads: true,
    });
    if (isSlow) await slow(context);
    const page = await context.newPage();
    page.setDefaultTimeout(60000);
    page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complain(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => complain(`page: ${error.message}`));
    if (!options.first)
        await page.addInitScript(() => {
            if (!localStorage.getItem("recurve")) localStorage.setItem("recurve", '{"toured": true}');
        });
    let timer;
    try {
        await page.goto(options.file ? String(pathToFileURL(join(folder, "standalone.html"))) : address + (options.hash ?? ""));
        const limit = new Promise((_, reject) => {
            timer = setTimeout(() => reject(new Error(`took more than ${SECONDS} s`)), 1000 * SECONDS);
        });
        const ready = page.locator("#panel-train .status, #panel-train .problem").filter({ hasText: /./ }).first();
        await ready.waitFor({ state: "attached" });
        await Promise.race([body({ page, context, address, folder, recurve, measured, scratch: await mkdtemp(join(scratch, "test-")) }), limit]);
    } catch (error) {
        complaints.unshift(error.stack.replace(/\x1b\[\d*m/g, ""));
        for (const part of ["#panel-train .primary", "#panel-train .status", "#panel-train .problem", "#announcer"]) {
            const text = await page.locator(part).textContent({ timeout: 1000 }).catch(() => "");
            if (text) complaints.push(`${part}: ${text}`);
        }
    } finally {
        clearTimeout(timer);
        if (complaints.length && process.env.RECURVE_SCREENSHOTS)
            await page.screenshot({ path: join(process.env.RECURVE_SCREENSHOTS, `${name.replaceAll(/\W+/g, "-")}.png`), fullPage: true }).catch(() => {});
        await context.close();
    }
    return complaints;
}

for (const file of readdirSync(import.meta.dirname ?? new URL(".", import.meta.url).pathname).sort())
    if (file.endsWith(".test.mjs")) await import(`./${file}`);

const queue = tests.filter(({ name }) => new RegExp(pattern, "i").test(name));
let passed = 0;
let failed = 0;

async function runAll(list) {
    for (let one = list.shift(); one; one = list.shift()) {
        const start = Date.now();
        const measured = [];
        const complaints = await runOne(one, (text) => measured.push(text));
        const seconds = ((Date.now() - start) / 1000).toFixed(1);
        if (complaints.length === 0) passed++;
        else failed++;
        console.log(`${complaints.length ? "FAILED" : "passed"} ${one.name} (${seconds} s)${measured.map((text) => `: ${text}`).join("")}`);
        for (const text of complaints) console.log(text.replace(/^/gm, "    "));
    }
}

const others = queue.filter(({ options }) => !options.alone);
await runAll(queue.filter(({ options }) => options.alone));
await Promise.all(Array.from({ length: PARALLEL }, () => runAll(others)));
await browser.close();
server.close();
await rm(scratch, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed || !passed ? 1 : 0;
