// Writes an ONNX model: as much of its protocol buffers as a graph of float tensors needs. Field numbers are
// those of onnx.proto.
'use strict';

function varint(value) {
  const bytes = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    if (rest <= 127n) return Buffer.from(bytes);
  }
}

// A field is [number, value]: an integer, or text, bytes or other fields, which have a length before them.
function encode(fields) {
  return Buffer.concat(fields.map(([number, value]) => {
    if (typeof value === 'number') return Buffer.concat([varint(number << 3), varint(value)]);
    const bytes = Array.isArray(value) ? encode(value) : Buffer.from(value);
    return Buffer.concat([varint(number << 3 | 2), varint(bytes.length), bytes]);
  }));
}

const FLOAT = 1, INT64 = 7, INT = 2, INTS = 7;

const tensorProto = (name, { shape, data }) => [
  ...shape.map(d => [1, d]), [2, data instanceof BigInt64Array ? INT64 : FLOAT], [8, name],
  [9, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]];

const valueInfo = (name, shape) => [
  [1, name], [2, [[1, [[1, FLOAT], [2, shape.map(d => [1, [[1, d]]])]]]]]];

const attribute = ([name, value]) => Array.isArray(value)
  ? [[1, name], ...value.map(i => [8, i]), [20, INTS]]
  : [[1, name], [3, value], [20, INT]];

// A graph under construction. node() returns the name of its output, or of its outputs.
class Graph {
  constructor() {
    this.nodes = [];
    this.constants = [];
    this.count = 0;
  }

  constant(tensor) {
    const name = `constant${this.count++}`;
    this.constants.push(tensorProto(name, tensor));
    return name;
  }

  integers(...values) {
    return this.constant({ shape: [values.length], data: BigInt64Array.from(values.map(BigInt)) });
  }

  node(type, inputs, attributes = {}, outputs = 1) {
    const names = Array.from({ length: outputs }, () => `value${this.count++}`);
    this.nodes.push([...inputs.map(name => [1, name]), ...names.map(name => [2, name]), [4, type],
      ...Object.entries(attributes).map(a => [5, attribute(a)])]);
    return outputs === 1 ? names[0] : names;
  }

  // Only one output of an op that has several: the ones before it get no name.
  nth(index, type, inputs, attributes) {
    const name = `value${this.count++}`;
    this.nodes.push([...inputs.map(i => [1, i]), ...Array.from({ length: index }, () => [2, '']), [2, name],
      [4, type], ...Object.entries(attributes).map(a => [5, attribute(a)])]);
    return name;
  }

  model(input, shape, output, outputShape) {
    const graph = [...this.nodes.map(n => [1, n]), [2, 'graph'], ...this.constants.map(c => [5, c]),
      [11, valueInfo(input, shape)], [12, valueInfo(output, outputShape)]];
    return encode([[1, 8], [7, graph], [8, [[1, ''], [2, 13]]]]);
  }
}

module.exports = { Graph };
