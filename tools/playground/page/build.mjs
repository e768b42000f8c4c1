/* Bundles the page: node build.mjs ROOT MODULE OUTPUT. ROOT is the source tree, MODULE the folder of module.js and
 * module.wasm. Writes a static folder, and OUTPUT/standalone.html, which is the whole page in one file. */
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

const [root, moduleFolder, output] = process.argv.slice(2);
const shared = {
    bundle: true,
    minify: true,
    write: false,
    target: "es2022",
    format: "iife",
    alias: { recurve: root, module: join(moduleFolder, "module.js") },
    loader: { ".rv": "text" },
    define: { "import.meta.url": '"file:///"' }, // Emscripten's code builds an address that is not used,
    legalComments: "none",
    logLevel: "warning",
};
const bundle = async (entry) => {
    const result = await build({ ...shared, entryPoints: [entry] });
    return result.outputFiles[0].contents;
};

const base64 = (bytes) => Buffer.from(bytes).toString("base64");
const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const policy = (scripts, styles, rest) =>
    `default-src 'none'; script-src ${scripts} 'wasm-unsafe-eval'; style-src ${styles}; img-src data: blob:; ` +
    `base-uri 'none'; form-action 'none'; ${rest}`;
const fill = (template, parts) =>
    Object.entries(parts).reduce((page, [mark, text]) => page.replace(mark, () => text), template);

const [page, worker, style, wasm, template] = await Promise.all([
    bundle("src/main.ts"),
    bundle("src/worker.ts"),
    bundle("style.css"),
    readFile(join(moduleFolder, "module.wasm")),
    readFile("index.html", "utf8"),
]);

await mkdir(output, { recursive: true });
await Promise.all([
    writeFile(join(output, "page.js"), page),
    writeFile(join(output, "worker.js"), worker),
    writeFile(join(output, "style.css"), style),
    cp(join(moduleFolder, "module.wasm"), join(output, "module.wasm")),
    writeFile(
        join(output, "index.html"),
        fill(template, {
            POLICY: policy("'self'", "'self'", "connect-src 'self'; worker-src 'self'"),
            "<!-- STYLE -->": '<link rel="stylesheet" href="style.css">',
            "<!-- SCRIPT -->":
                '<link rel="preload" href="module.wasm" as="fetch" type="application/wasm" crossorigin>\n' +
                '<script src="page.js" defer></script>',
        }),
    ),
]);

/* The parts that are data lie in blocks that no browser executes. A module script runs after the page is parsed. */
const script = Buffer.from(page).toString().replaceAll("</script", "<\\/script");
const styles = Buffer.from(style).toString();
await writeFile(
    join(output, "standalone.html"),
    fill(template, {
        POLICY: policy(hash(script), hash(styles), "worker-src blob:"),
        "<!-- STYLE -->": `<style>${styles}</style>`,
        "<!-- SCRIPT -->":
            `<script type="application/gzip" id="worker.js">${base64(gzipSync(worker, { level: 9 }))}</script>\n` +
            `<script type="application/gzip" id="module.wasm">${base64(gzipSync(wasm, { level: 9 }))}</script>\n` +
            `<script type="module">${script}</script>`,
    }),
);

const wire = (compress) =>
    Math.ceil([page, worker, style, wasm].reduce((sum, part) => sum + compress(part).length, 0) / 1024);
console.log(`${wire(brotliCompressSync)} KB over the wire with Brotli, ${wire((part) => gzipSync(part, { level: 9 }))} KB with gzip`);
