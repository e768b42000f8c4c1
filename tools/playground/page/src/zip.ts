/* Zip archives, for several files in one download. The files are stored, not compressed. */

import { saveFile } from "./dom";

export interface Entry {
    name: string;
    bytes: Uint8Array;
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let code = byte;
    for (let bit = 0; bit < 8; bit++) code = code & 1 ? (code >>> 1) ^ 0xedb88320 : code >>> 1;
    return code;
});

function crc32(bytes: Uint8Array): number {
    let code = 0xffffffff;
    for (const byte of bytes) code = table[(code ^ byte) & 0xff]! ^ (code >>> 8);
    return ~code >>> 0;
}

/** Little-endian fields of [bytes, value]. */
function record(...fields: [2 | 4, number][]): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(fields.reduce((sum, [size]) => sum + size, 0));
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const [size, value] of fields) {
        if (size === 2) view.setUint16(at, value, true);
        else view.setUint32(at, value, true);
        at += size;
    }
    return bytes;
}

/** The parts of an archive (APPNOTE.TXT 4.3): each file behind its header, the directory, and the end of the directory. */
function zip(entries: Entry[]): Uint8Array[] {
    const files: Uint8Array[] = [];
    const directory: Uint8Array[] = [];
    const sizeOf = (parts: Uint8Array[]) => parts.reduce((sum, part) => sum + part.length, 0);
    for (const { name, bytes } of entries) {
        const path = new TextEncoder().encode(name);
        const common: [2 | 4, number][] = [
            [2, 20], // version 2.0
            [2, 0x800], // names in UTF-8
            [2, 0], // stored
            [2, 0], // time 0:00
            [2, 0x21], // date 1980-01-01
            [4, crc32(bytes)],
            [4, bytes.length],
            [4, bytes.length],
            [2, path.length],
            [2, 0], // no extra field
        ];
        // No comment, disk 0, no attributes, and where the file's header is.
        directory.push(record([4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, sizeOf(files)]), path);
        files.push(record([4, 0x04034b50], ...common), path, bytes);
    }
    const count = entries.length;
    return [
        ...files,
        ...directory,
        record([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, sizeOf(directory)], [4, sizeOf(files)], [2, 0]),
    ];
}

/** Lets the browser save files as an archive NAME.zip, in a folder NAME. */
export function saveZip(name: string, entries: Entry[]): void {
    const parts = zip(entries.map((entry) => ({ ...entry, name: `${name}/${entry.name}` })));
    saveFile(`${name}.zip`, new Blob(parts as BlobPart[]), "application/zip");
}
