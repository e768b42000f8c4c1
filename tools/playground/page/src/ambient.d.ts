declare module "*.rv" {
    const text: string;
    export default text;
}

/** What Emscripten makes of tools/playground/module. */
declare module "module" {
    export interface Module {
        _page_call(name: number, values: number): number;
        _page_numbers(): number;
        _page_number_count(): number;
        _malloc(size: number): number;
        _free(address: number): void;
        HEAPU8: Uint8Array; // changes when the memory grows
        HEAPF32: Float32Array;
        FS: {
            writeFile(path: string, bytes: Uint8Array): void;
            readFile(path: string): Uint8Array;
            mkdirTree(path: string): void;
        };
    }
    export default function create(options: {
        instantiateWasm(
            imports: WebAssembly.Imports,
            ready: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
        ): object;
        print?(text: string): void;
        printErr?(text: string): void;
    }): Promise<Module>;
}
