// What the peers in JavaScript share: the numbers that `bench --write` wrote, the clock, and the conversation
// with tools/bench/run (tools/bench/serve.h says what is said), under Node or in a browser's worker.
'use strict';

const inBrowser = typeof process === 'undefined';

const baseOf = name => name.replace(/-forward$/, '');

// A workload's inputs and first parameters by name, each {shape, data}, and its settings.
class Workload {
  constructor(name, bytes) {
    this.name = name;
    this.base = baseOf(name);
    const { tensors, settings } = readSafetensors(bytes);
    this.tensors = tensors;
    this.training = this.base === name && 'y' in tensors;
    this.rate = Number(settings.rate);
    this.steps = Number(settings.steps);
    this.checked = Number(settings.checked);
  }

  get(name) {
    return this.tensors[name];
  }
}

// From a Uint8Array.
function readSafetensors(bytes) {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const tensors = {};
  const { __metadata__: settings, ...entries } = header;
  for (const [name, { dtype, shape, data_offsets: [begin, end] }] of Object.entries(entries)) {
    const copy = Uint8Array.from(bytes.subarray(8 + length + begin, 8 + length + end)).buffer;
    tensors[name] = { shape, data: dtype === 'I32' ? new Int32Array(copy) : new Float32Array(copy) };
  }
  return { tensors, settings };
}

class Unavailable extends Error {}

// Tensors side by side along an axis.
function concat(tensors, axis) {
  const shape = [...tensors[0].shape];
  shape[axis] = tensors.reduce((sum, t) => sum + t.shape[axis], 0);
  const rows = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  let at = 0;
  for (let row = 0; row < rows; row++)
    for (const t of tensors) {
      const width = t.data.length / rows;
      data.set(t.data.subarray(row * width, (row + 1) * width), at);
      at += width;
    }
  return { shape, data };
}

// y's axis d is x's axes[d].
function transpose(x, axes) {
  const shape = axes.map(a => x.shape[a]);
  const strides = x.shape.map((_, d) => x.shape.slice(d + 1).reduce((a, b) => a * b, 1));
  const data = new x.data.constructor(x.data.length);
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = x.data[index.reduce((sum, at, d) => sum + at * strides[axes[d]], 0)];
    for (let d = shape.length - 1; d >= 0 && ++index[d] === shape[d]; d--) index[d] = 0;
  }
  return { shape, data };
}

// Of the prediction of a forward pass; of a workload without a loss its mean square.
function lossOf(w, p) {
  const mean = f => p.reduce((sum, v, i) => sum + f(v, i), 0) / p.length;
  if (w.base.startsWith('D')) return mean(v => v * v);
  const y = w.get('y').data;
  if (w.base.startsWith('A')) return mean((v, i) => Math.log1p(Math.exp(v)) - v * y[i]);
  if (w.base.startsWith('C')) return mean((v, i) => (v - y[i]) ** 2);
  const classes = p.length / y.length;
  let sum = 0;
  for (let n = 0; n < y.length; n++) {
    const row = Array.from(p.subarray(n * classes, (n + 1) * classes));
    sum += Math.log(row.reduce((s, v) => s + Math.exp(v), 0)) - row[y[n]];
  }
  return sum / y.length;
}

const now = () => performance.now() * 1e-3;

async function sample({ step, waits }, inner) {
  const start = now();
  if (waits) for (let i = 0; i < inner; i++) await step();
  else for (let i = 0; i < inner; i++) step();
  return (now() - start) / inner;
}

// As samples_take in tools/machine/timing.c, but a browser's clock may tick too slowly for a single step. Of two samples the
// lesser tells how many steps are enough: other programs may have delayed the other one.
async function measure(task, seconds) {
  const enough = 0.5e-3, start = now(), taken = [];
  if (!task.inner) {
    for (let took = 0, next = 1; took < enough / 2; next = Math.ceil(next * Math.min(10, enough / took))) {
      task.inner = next;
      took = next * Math.min(await sample(task, next), await sample(task, next));
    }
  }
  do taken.push(await sample(task, task.inner));
  while (now() - start < seconds);
  return taken;
}

// The answer to each line, in JSON. read(base) returns the bytes of a workload's file, or a promise of them.
function conversation(load, read) {
  let task = null;
  return async line => {
    const [word, argument] = line.split(' ');
    let answer = { ready: argument };
    if (word === 'load') {
      task = null;
      try {
        const loaded = await load(new Workload(argument, await read(baseOf(argument))));
        answer.check = await loaded.check();
        task = loaded;
      } catch (why) {
        if (!(why instanceof Unavailable)) console.error(why);
        answer.unavailable = why.message.split('\n')[0];
      }
    } else if (task) {
      answer = { seconds: await measure(task, Number(argument)) };
    } else {
      answer = { error: 'nothing is loaded' };
    }
    return JSON.stringify(answer);
  };
}

// load(Workload) returns {step, waits, check}: what to time, whether it returns a promise, and a function, also
// one that may, for the number that all must agree on.
async function serve(load) {
  if (inBrowser) {
    const fetched = async base => new Uint8Array(await (await fetch(`/${base}.safetensors`)).arrayBuffer());
    const answer = conversation(load, fetched);
    onmessage = async ({ data }) => postMessage(await answer(data));
    return postMessage('ready');
  }
  const fs = require('fs'), path = require('path'), folder = process.argv[process.argv.length - 1];
  const answer = conversation(load, base => fs.readFileSync(path.join(folder, base + '.safetensors')));
  for await (const line of require('readline').createInterface({ input: process.stdin }))
    fs.writeSync(1, await answer(line) + '\n');
}

module.exports = { Unavailable, concat, inBrowser, lossOf, serve, transpose };
