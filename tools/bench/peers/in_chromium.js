// A peer in a worker of headless Chromium: in_chromium.js PEER.js NAME MODULE DATA. NAME is that of the worker, MODULE the
// folder of module.js and module.wasm, DATA that of the workloads' numbers.
'use strict';

const fs = require('fs');
const http = require('http');
const path = require('path');
const readline = require('readline');
const esbuild = require('esbuild');
const { chromium } = require('playwright-core');

const [peer, name, moduleFolder, data] = process.argv.slice(2);
const PACKAGES = process.env.NODE_PATH.split(':');
// A page of its own process has the finer clock, which ticks every 5 us.
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

// The peer's modules of Node are empty: it calls none of them in a browser.
const withoutNode = {
  name: 'without Node',
  setup(build) {
    build.onResolve({ filter: /^(fs|path|readline)$/ }, ({ path }) => ({ path, namespace: 'node' }));
    build.onLoad({ filter: /./, namespace: 'node' }, () => ({ contents: '' }));
  },
};

async function bundle() {
  const { outputFiles } = await esbuild.build({
    entryPoints: [path.join(__dirname, peer)], bundle: true, minify: true, write: false, format: 'iife', target: 'es2022',
    alias: { module: path.join(moduleFolder, 'module.js') }, define: { 'import.meta.url': '"file:///"' },
    nodePaths: PACKAGES, plugins: [withoutNode], logLevel: 'error',
  });
  return outputFiles[0].contents;
}

function serve(worker, folders) {
  const server = http.createServer((request, response) => {
    const file = path.basename(request.url);
    const folder = folders.find(folder => fs.existsSync(path.join(folder, file)));
    const content = file === 'worker.js' ? worker : file && folder ? fs.readFileSync(path.join(folder, file)) : '';
    const type = TYPES[path.extname(file) || '.html'] ?? 'application/octet-stream';
    response.writeHead(200, { ...ISOLATED, 'Content-Type': type }).end(content);
  });
  return new Promise(resolve => server.listen(0, 'localhost', () => resolve(server.address().port)));
}

async function main() {
  const backend = PACKAGES.map(folder => path.join(folder, '@tensorflow/tfjs-backend-wasm/dist'));
  const port = await serve(await bundle(), [data, moduleFolder, ...backend]);
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
  const page = await browser.newPage();
  page.on('console', message => console.error(message.text()));
  await page.goto(`http://localhost:${port}/`);
  await page.evaluate(name => {
    const worker = new Worker('worker.js', { name });
    const message = () => new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
    globalThis.ask = line => {
      const answer = message();
      worker.postMessage(line);
      return answer;
    };
    return message(); // it is ready
  }, name);
  for await (const line of readline.createInterface({ input: process.stdin }))
    fs.writeSync(1, await page.evaluate(line => ask(line), line) + '\n');
  await browser.close();
  process.exit();
}

main();
