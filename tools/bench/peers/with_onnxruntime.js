// ONNX Runtime: forward passes only. Gates in one product, the input's products before the steps; GRU and LSTM
// as its own ops.
'use strict';

const ort = require('onnxruntime-node');
const { Unavailable, concat, lossOf, serve, transpose } = require('./common.js');
const { Graph } = require('./onnx.js');

const joined = (g, w, names, axis) => g.constant(concat(names.map(name => w.get(name)), axis));

// h' = c + g (h - c), the gates side by side along axis 1; h is null at first.
function updateGate(g, G, h) {
  let [gate, c] = g.node('Split', [G], { axis: 1 }, 2);
  gate = g.node('Sigmoid', [gate]);
  c = g.node('Tanh', [c]);
  if (!h) return g.node('Sub', [c, g.node('Mul', [gate, c])]);
  return g.node('Add', [c, g.node('Mul', [gate, g.node('Sub', [h, c])])]);
}

const linear = (g, w, x, name) => g.node('Gemm',
  [x, g.constant(w.get(`${name}/weight`)), g.constant(w.get(`${name}/bias`))], { transB: 1 });

function unrollImage(g, w, x, [Wx, Wh, b], pads, steps) {
  const ring = [1, 1, 1, 1];
  const X = g.node('Conv', [x, joined(g, w, Wx, 0), joined(g, w, b, 0)], { pads });
  const W = joined(g, w, Wh, 0);
  let h = null;
  for (let t = 0; t < steps; t++)
    h = updateGate(g, h ? g.node('Add', [g.node('Conv', [h, W], { pads: ring }), X]) : X, h);
  return h;
}

function curnn(g, w, x) {
  const h = unrollImage(g, w, x, [['Wxg', 'Wxc'], ['Wrecg', 'Wrecc'], ['bg', 'bc']], [0, 0, 0, 0], 2);
  return linear(g, w, g.node('Tanh', [linear(g, w, g.node('Flatten', [h]), 'fc1')]), 'fc2');
}

function convUgrnn(g, w, x) {
  const h = unrollImage(g, w, x, [['Ug', 'Uc'], ['Wg', 'Wc'], ['bg', 'bc']], [1, 1, 1, 1], 8);
  return linear(g, w, g.node('Flatten', [g.node('GlobalAveragePool', [h])]), 'fc');
}

function ugrnn(g, w, x) {
  const [n, steps, inputs] = w.get('x').shape;
  const flat = g.node('Reshape', [x, g.integers(steps * n, inputs)]);
  const all = g.node('Gemm', [flat, joined(g, w, ['Ug', 'Uc'], 1), joined(g, w, ['bg', 'bc'], 0)]);
  const W = joined(g, w, ['Wg', 'Wc'], 1);
  let h = null;
  for (const X of g.node('Split', [all], { axis: 0 }, steps))
    h = updateGate(g, h ? g.node('Gemm', [h, W, X]) : X, h);
  return linear(g, w, h, 'fc');
}

// The library's own ops: weights [1,gates,inputs], and a second bias, which is zero here.
const recurrent = (type, gates) => (g, w, x) => {
  const units = w.get('b' + gates[0]).data.length;
  const matrix = kind => {
    const { shape, data } = transpose(concat([...gates].map(gate => w.get(kind + gate)), 1), [1, 0]);
    return g.constant({ shape: [1, ...shape], data });
  };
  const biases = [...gates].map(gate => w.get('b' + gate));
  const zero = { shape: [units * gates.length], data: new Float32Array(units * gates.length) };
  const { data } = concat([...biases, zero], 0);
  const b = g.constant({ shape: [1, data.length], data });
  const last = g.nth(1, type, [x, matrix('U'), matrix('W'), b], { hidden_size: units });
  return linear(g, w, g.node('Squeeze', [last, g.integers(0)]), 'fc');
};

const NETS = {
  A1: curnn, A2: curnn, A3: curnn, B: convUgrnn,
  C1: ugrnn, C2: recurrent('GRU', 'urc'), C3: recurrent('LSTM', 'iofz'),
  'D-sigmoid': (g, w, x) => g.node('Sigmoid', [x]), 'D-tanh': (g, w, x) => g.node('Tanh', [x]),
};

async function load(w) {
  if (w.training) throw new Unavailable('computes forward passes only');
  const x = w.base.startsWith('C') ? transpose(w.get('x'), [1, 0, 2]) : w.get('x');
  const g = new Graph(), output = NETS[w.base](g, w, 'x');
  const n = w.get('x').shape[0];
  const shape = w.base.startsWith('D') ? [n] : [n, w.base === 'B' ? 10 : 1];
  const session = await ort.InferenceSession.create(g.model('x', x.shape, output, shape), {
    intraOpNumThreads: Number(process.env.OMP_NUM_THREADS || 1), interOpNumThreads: 1,
    graphOptimizationLevel: 'all', executionMode: 'sequential',
  });
  const feeds = { x: new ort.Tensor('float32', x.data, x.shape) };
  const size = shape.reduce((a, b) => a * b, 1);
  const fetches = { [output]: new ort.Tensor('float32', new Float32Array(size), shape) };
  const step = () => session.run(feeds, fetches);
  return { step, waits: true, check: async () => lossOf(w, (await step())[output].data) };
}

serve(load);
