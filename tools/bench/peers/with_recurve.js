// Recurve as WebAssembly, compiled as the page's module is, in a browser's worker.
'use strict';

const { default: create } = require('module');
const { serve } = require('./common.js');

const created = (async () => {
  const compiled = await WebAssembly.compileStreaming(fetch('/module.wasm'));
  return create({
    instantiateWasm(imports, ready) {
      WebAssembly.instantiate(compiled, imports).then(instance => ready(instance, compiled));
      return {};
    },
  });
})();

async function load(w) {
  const module = await created, name = new TextEncoder().encode(w.name + '\0');
  const address = module._malloc(name.length);
  module.HEAPU8.set(name, address);
  const loss = module._bench_load(address);
  module._free(address);
  if (Number.isNaN(loss)) throw new Error('the module cannot load it');
  return { step: module._bench_step, check: () => loss };
}

serve(load);
