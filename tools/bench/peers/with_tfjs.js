// TensorFlow.js. The first argument, or the name of the worker, is its backend, cpu (plain JavaScript) or wasm. Gates in
// one product, the input's products before the steps; images are [n,h,w,c].
'use strict';

console.log = console.info = console.warn = console.error; // stdout is for answers

const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
const { Unavailable, concat, inBrowser, lossOf, serve, transpose } = require('./common.js');

const backend = inBrowser ? self.name : process.argv[2];
const tensor = ({ shape, data }) => tf.tensor(data, shape, data instanceof Int32Array ? 'int32' : 'float32');

// ---- parameters: joined along an axis; kernels [outputs,c,k,k] become [k,k,c,outputs] ----

function joined(w, names, axis) {
  const one = concat(names.map(name => w.get(name)), axis);
  return tensor(one.shape.length === 4 ? transpose(one, [2, 3, 1, 0]) : one);
}

function curnnParameters(w) {
  return [joined(w, ['Wxg', 'Wxc'], 0), joined(w, ['Wrecg', 'Wrecc'], 0), joined(w, ['bg', 'bc'], 0),
    tensor(w.get('fc1/weight')), tensor(w.get('fc1/bias')), tensor(w.get('fc2/weight')),
    tensor(w.get('fc2/bias'))];
}

function imageParameters(w) {
  return [joined(w, ['Ug', 'Uc'], 0), joined(w, ['Wg', 'Wc'], 0), joined(w, ['bg', 'bc'], 0),
    tensor(w.get('fc/weight')), tensor(w.get('fc/bias'))];
}

const sequenceParameters = gates => w => {
  const all = (kind, axis, some) => joined(w, [...some].map(g => kind + g), axis);
  const recurrent = gates === 'ruc' ? [all('W', 1, 'ru'), tensor(w.get('Wc'))] : [all('W', 1, gates)];
  return [all('U', 1, gates), ...recurrent, all('b', 0, gates), tensor(w.get('fc/weight')),
    tensor(w.get('fc/bias'))];
};

// ---- convolution with a ring of zeros, or none ----

// The wasm backend lacks the gradient of the kernel. It is a convolution too: of x with dy as the kernel, images
// in the place of channels.
function kernelGradient(x, dy, ring) {
  const y = tf.conv2d(tf.transpose(x, [3, 1, 2, 0]), tf.transpose(dy, [1, 2, 0, 3]), 1, ring);
  return tf.transpose(y, [1, 2, 0, 3]);
}

// Of a state, whose gradient is wanted, or of an image, whose is not.
const stateConv = tf.customGrad((h, w, save) => {
  save([h, w]);
  return {
    value: tf.conv2d(h, w, 1, 1),
    gradFunc: (dy, [h, w]) => [tf.conv2dTranspose(dy, w, h.shape, 1, 1), kernelGradient(h, dy, 1)],
  };
});
const imageConv = (x, w, ring) => tf.customGrad(w => ({
  value: tf.conv2d(x, w, 1, ring),
  gradFunc: dy => kernelGradient(x, dy, ring),
}))(w);

function conv2d(x, w, ring, isState) {
  if (backend !== 'wasm') return tf.conv2d(x, w, 1, ring);
  return isState ? stateConv(x, w) : imageConv(x, w, ring);
}

// ---- nets: functions of x and the parameters ----

const linear = (x, W, b) => tf.add(tf.matMul(x, W, false, true), b);
const lerp = (c, h, g) => tf.add(c, tf.mul(g, tf.sub(h, c)));

function updateGate(X, h, product) {
  const [G, C] = tf.split(h ? tf.add(X, product(h)) : X, 2, X.rank - 1);
  const g = tf.sigmoid(G), c = tf.tanh(C);
  return h ? lerp(c, h, g) : tf.sub(c, tf.mul(g, c));
}

function curnn(x, [Wx, Wh, b, W1, b1, W2, b2]) {
  const X = tf.add(conv2d(x, Wx, 0, false), b);
  let h = null;
  for (let t = 0; t < 2; t++) h = updateGate(X, h, h => conv2d(h, Wh, 1, true));
  return linear(tf.tanh(linear(tf.reshape(h, [x.shape[0], 16]), W1, b1)), W2, b2);
}

function convUgrnn(x, [Wx, Wh, b, W1, b1]) {
  const X = tf.add(conv2d(x, Wx, 1, false), b);
  let h = null;
  for (let t = 0; t < 8; t++) h = updateGate(X, h, h => conv2d(h, Wh, 1, true));
  return linear(tf.mean(h, [1, 2]), W1, b1);
}

// x [steps,n,inputs] to the input's part of each step
const inputs = (x, U, b) =>
  tf.unstack(tf.reshape(tf.add(tf.matMul(tf.reshape(x, [-1, x.shape[2]]), U), b), [x.shape[0], x.shape[1], -1]));

function ugrnn(x, [U, W, b, W1, b1]) {
  let h = null;
  for (const X of inputs(x, U, b)) h = updateGate(X, h, h => tf.matMul(h, W));
  return linear(h, W1, b1);
}

function gru(x, [U, Wru, Wc, b, W1, b1]) {
  let h = null;
  for (const X of inputs(x, U, b)) {
    let [r, u, c] = tf.split(X, 3, 1);
    if (h) {
      const [R, U] = tf.split(tf.matMul(h, Wru), 2, 1);
      r = tf.sigmoid(tf.add(r, R));
      u = tf.sigmoid(tf.add(u, U));
      h = lerp(tf.tanh(tf.add(c, tf.matMul(tf.mul(r, h), Wc))), h, u);
    } else {
      c = tf.tanh(c);
      h = tf.sub(c, tf.mul(tf.sigmoid(u), c));
    }
  }
  return linear(h, W1, b1);
}

function lstm(x, [U, W, b, W1, b1]) {
  let h = null, m = null;
  for (const X of inputs(x, U, b)) {
    const [i, f, o, z] = tf.split(h ? tf.add(X, tf.matMul(h, W)) : X, 4, 1);
    const fresh = tf.mul(tf.sigmoid(i), tf.tanh(z));
    m = m ? tf.add(tf.mul(tf.sigmoid(f), m), fresh) : fresh;
    h = tf.mul(tf.sigmoid(o), tf.tanh(m));
  }
  return linear(h, W1, b1);
}

const IMAGE = [0, 2, 3, 1], SEQUENCE = [1, 0, 2];
const NETS = {
  A1: [curnn, curnnParameters, IMAGE],
  A2: [curnn, curnnParameters, IMAGE],
  A3: [curnn, curnnParameters, IMAGE],
  B: [convUgrnn, imageParameters, IMAGE],
  C1: [ugrnn, sequenceParameters('gc'), SEQUENCE],
  C2: [gru, sequenceParameters('ruc'), SEQUENCE],
  C3: [lstm, sequenceParameters('ifoz'), SEQUENCE],
};

// ---- losses: means, from logits ----

function lossFor(w) {
  const y = tensor(w.get('y'));
  if (w.base.startsWith('A')) return p => tf.mean(tf.sub(tf.softplus(p), tf.mul(p, y)));
  if (w.base.startsWith('C')) return p => tf.mean(tf.square(tf.sub(p, y)));
  const wanted = tf.oneHot(y, 10);
  return p => tf.mean(tf.neg(tf.sum(tf.mul(wanted, tf.logSoftmax(p)), 1)));
}

async function load(w) {
  if (!inBrowser && Number(process.env.OMP_NUM_THREADS || 1) > 1) throw new Unavailable('has one thread under Node');
  tf.engine().startScope();
  if (w.base.startsWith('D')) {
    const x = tensor(w.get('x')), f = w.base === 'D-tanh' ? tf.tanh : tf.sigmoid;
    return { step: () => f(x).dispose(), check: () => lossOf(w, f(x).dataSync()) };
  }
  if (backend === 'cpu' && !w.base.startsWith('A')) throw new Unavailable('takes many seconds a step; see wasm');
  if (!(w.base in NETS)) throw new Unavailable('not written');
  const [net, parameters, order] = NETS[w.base];
  const x = tensor(transpose(w.get('x'), order)), p = parameters(w);
  if (!w.training)
    return {
      step: () => tf.tidy(() => net(x, p)).dispose(),
      check: () => lossOf(w, tf.tidy(() => net(x, p)).dataSync()),
    };

  const variables = p.map(v => tf.variable(v)), loss = lossFor(w);
  const optimizer = w.base.startsWith('A') ? tf.train.momentum(w.rate, 0.9) : tf.train.adam(w.rate, 0.9, 0.999, 1e-8);
  const step = () => tf.tidy(() => optimizer.minimize(() => loss(net(x, variables)), true, variables));
  return {
    step: () => step().dispose(),
    check: () => {
      let last;
      for (let i = 0; i < w.checked; i++) last = step().dataSync()[0];
      return last;
    },
  };
}

async function main() {
  if (backend === 'wasm') {
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
    wasm.setWasmPaths(inBrowser ? '/' : require('path').dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + '/');
  }
  if (!await tf.setBackend(backend)) throw new Error(`no backend ${backend}`);
  await tf.ready();
  await serve(load);
}

main();
