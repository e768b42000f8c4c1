#!/usr/bin/env python3
"""Makes the files in corpus/: valid files of every format, and files that lie. Run it in the repository's root.

It does not make the texts of the language, safetensors/checkpoint, which rv_store_save_with wrote, and found-*, which
fuzzers found.
"""
import gzip
import io
import json
import os
import struct
import zipfile

CORPUS = "tests/fuzz/corpus"


def put(name, data):
    path = os.path.join(CORPUS, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def packed(data):
    return gzip.compress(data, 9, mtime=0)


# ---- safetensors ----

def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def safetensors(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def weights(tensors):
    """Tensors of a type and a shape, filled with bytes."""
    header, at = {}, 0
    for name, (dtype, shape) in tensors.items():
        size = {"F16": 2, "BF16": 2, "F32": 4, "F64": 8}[dtype]
        for n in shape:
            size *= n
        header[name] = tensor(dtype, shape, at, at + size)
        at += size
    return safetensors(header, bytes(i % 60 for i in range(at)))


F32, EIGHT = struct.pack("<2f", 1.5, -2), bytes(range(8))
ONE = '{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'


def safetensors_seeds():
    w = {"w": tensor("F32", [2], 0, 8)}
    both = dict(w, step=tensor("I32", [], 8, 12), __metadata__={"role:step": "state", "format": "x"})
    step = struct.pack("<i", 7)
    put("safetensors/store", safetensors(both, F32 + step))
    put("safetensors/types", safetensors({
        "a": tensor("F64", [1, 2], 0, 16), "b": tensor("I64", [2], 16, 32), "c": tensor("F32", [], 32, 36),
        "d": tensor("I32", [1], 36, 40)}, struct.pack("<2d2qfi", 0.1, -3, 5, -5, 0.5, 9)))
    put("safetensors/padded", safetensors(ONE.encode() + b"}   \n", F32))
    put("safetensors/unsorted", safetensors({"b": tensor("I32", [], 8, 12), "w": tensor("F32", [2], 0, 8)},
                                            F32 + step))
    put("safetensors/empty", safetensors({}))
    put("safetensors/names", safetensors(
        b'{"__metadata__":{"a\\n":"\\u00e9\\ud83d\\ude00"},"w \\"\\\\ \\u00e9":'
        b'{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', F32))
    put("safetensors/overlap", safetensors(dict(w, v=tensor("F32", [2], 4, 12)), F32 + step))
    put("safetensors/gap", safetensors(dict(w, v=tensor("I32", [], 12, 16)), F32 + EIGHT))
    put("safetensors/beyond", safetensors({"w": tensor("F32", [2], 8, 16)}, F32))
    put("safetensors/falling", safetensors({"w": tensor("F32", [2], 8, 0)}, F32))
    put("safetensors/huge-shape", safetensors({"w": tensor("F32", [1 << 31, 1 << 31, 4], 0, 8)}, F32))
    put("safetensors/huge-offset", safetensors({"w": tensor("F32", [2], (1 << 53) - 8, 1 << 53)}, F32))
    put("safetensors/zero", safetensors({"w": tensor("F32", [0], 0, 0)}))
    put("safetensors/rank", safetensors({"w": tensor("F32", [1] * 7, 0, 4)}, F32[:4]))
    put("safetensors/dtype", safetensors({"w": tensor("BF16", [4], 0, 8)}, F32))
    put("safetensors/small-types", safetensors({
        "a": tensor("F16", [2], 0, 4), "b": tensor("BF16", [1], 4, 6), "c": tensor("BOOL", [1], 6, 7),
        "d": tensor("U8", [1], 7, 8), "e": tensor("U32", [2], 8, 16)}, EIGHT + F32))
    put("safetensors/unknown-type", safetensors({"w": tensor("F8_E4M3", [8], 0, 8), "v": tensor("F32", [2], 8, 16)},
                                                EIGHT + F32))
    rows = {"weight_ih_l0": 4, "weight_hh_l0": 4, "bias_ih_l0": 4, "bias_hh_l0": 4}
    put("safetensors/torch", weights({
        **{f"rnn.{name}": ("F16", [n, 1] if name[0] == "w" else [n]) for name, n in rows.items()},
        "head.weight": ("BF16", [1, 1]), "head.bias": ("BF16", [1]), "embed.weight": ("F32", [3, 1]),
        "out.weight": ("F64", [2, 1])}))
    put("safetensors/keras", weights({
        "net/bidirectional/forward_lstm/lstm_cell_1/kernel:0": ("F32", [1, 4]),
        "net/bidirectional/forward_lstm/lstm_cell_1/recurrent_kernel:0": ("F32", [1, 4]),
        "net/bidirectional/forward_lstm/lstm_cell_1/bias:0": ("F32", [4]), "net/dense/kernel:0": ("F32", [1, 1]),
        "net/dense/bias:0": ("F32", [1]), "net/embedding/embeddings:0": ("F32", [3, 1]), "V": ("F32", [1, 2])}))
    put("safetensors/wide-i64", safetensors({"w": tensor("I64", [1], 0, 8)}, struct.pack("<q", 1 << 40)))
    put("safetensors/other-shape", safetensors({"w": tensor("F32", [1, 2], 0, 8)}, F32))
    put("safetensors/lacking", safetensors({"v": tensor("F32", [2], 0, 8)}, F32))
    put("safetensors/twice", safetensors(
        ONE.encode() + b',"w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}', F32 + F32))
    put("safetensors/metadata-twice", safetensors(
        b'{"__metadata__":{"a":"1","a":"2"},' + ONE[1:].encode() + b"}", F32))
    put("safetensors/metadata-number", safetensors(b'{"__metadata__":{"a":1}}'))
    put("safetensors/nul", safetensors(b'{"w\\u0000x":' + ONE[5:].encode() + b"}", F32))
    put("safetensors/surrogate", safetensors(b'{"\\ud800":' + ONE[5:].encode() + b"}", F32))
    put("safetensors/no-utf8", safetensors(b'{"\xff":' + ONE[5:].encode() + b"}", F32))
    put("safetensors/deep", safetensors(b'{"w":' + b"[" * 1200 + b"]" * 1200 + b"}"))
    put("safetensors/numbers", safetensors(b'{"w":[' + b"0," * 500 + b"1e999]}"))
    put("safetensors/length-huge", safetensors(w, F32, (1 << 63) + 1))
    put("safetensors/length-long", safetensors(w, F32, 60))
    put("safetensors/checksum", safetensors(
        b'{"__metadata__":{"format":"recurve 3","checksum":"' + b"0" * 32 + b'"},' + ONE[1:].encode() + b"}", F32))


# ---- IDX ----

def idx(kind, shape, data):
    return bytes([0, 0, kind, len(shape) & 255]) + b"".join(struct.pack(">I", d) for d in shape) + data


def idx_seeds():
    put("idx/images", idx(8, [2, 2, 2], EIGHT))
    put("idx/labels", idx(8, [2], b"\1\0"))
    put("idx/tokens", idx(12, [2, 2], struct.pack(">4i", 0, 1, 2, 1)))
    put("idx/shorts", idx(11, [2, 1], struct.pack(">2h", -3, 500)))
    put("idx/floats", idx(13, [2], struct.pack(">2f", 1.5, float("nan"))))
    put("idx/doubles", idx(14, [2, 1], struct.pack(">2d", 1.5, 1e300)))
    put("idx/images.gz", packed(idx(8, [2, 2, 2], EIGHT)))
    put("idx/two-members.gz", packed(idx(8, [2, 2, 2], EIGHT[:3])) + packed(EIGHT[3:]))
    put("idx/bomb.gz", packed(idx(8, [2, 1 << 19], bytes(1 << 20))))
    put("idx/lying-bomb.gz", packed(bytes(1 << 20)))
    put("idx/trailing.gz", packed(idx(8, [2], b"\1\0")) + b"garbage")
    put("idx/huge", idx(8, [0xFFFFFFFF] * 2, EIGHT))
    put("idx/huge-product", idx(14, [1 << 31, 1 << 31, 1 << 31, 1 << 31, 2, 2], EIGHT))
    put("idx/zero", idx(8, [0, 4], b""))
    put("idx/one", idx(8, [1, 1, 1, 1, 1, 1], b"\7"))
    put("idx/rank", idx(8, [1] * 7, b"\7"))
    put("idx/scalar", idx(8, [], b"\7"))
    put("idx/kind", idx(10, [2], b"\1\0"))
    put("idx/negative-label", idx(12, [2], struct.pack(">2i", -1, 0)))
    put("idx/large-label", idx(12, [2], struct.pack(">2i", 1 << 30, 0)))


# ---- NumPy ----

def npy(descr, shape, data, fortran=False, version=1, header=None):
    text = header or "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (descr, fortran, shape)
    text = text.encode() + b" " * (-(len(text) + 11) % 16) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data


X, Y = npy("<f4", "(2, 3)", struct.pack("<6f", *range(6))), npy("|u1", "(2,)", b"\1\0")


def npy_seeds():
    put("npy/floats", X)
    put("npy/labels", Y)
    put("npy/big-endian", npy(">f8", "(2, 1)", struct.pack(">2d", 0.1, -2)))
    put("npy/big-tokens", npy(">i8", "(2, 2)", struct.pack(">4q", 0, 1, 2, 1)))
    put("npy/fortran", npy("<i2", "(2, 3)", struct.pack("<6h", 0, 3, 1, 4, 2, 5), True))
    put("npy/fortran-deep", npy(">f4", "(2, 1, 2, 1, 2, 1)", struct.pack(">8f", *range(8)), True))
    put("npy/bool", npy("|b1", "(2, 2)", b"\0\1\1\0"))
    put("npy/version2", npy("<f4", "(2,)", F32, version=2))
    put("npy/version3", npy("<f4", "(2,)", F32, version=3))
    put("npy/scalar", npy("<f4", "()", F32[:4]))
    put("npy/python2", npy("<f4", "(2L, 1L)", F32))
    put("npy/floats.gz", packed(X))
    put("npy/bomb.gz", packed(npy("<f4", "(2, 131072)", bytes(1 << 20))))
    put("npy/huge", npy("<f4", "(9223372036854775807, 2)", F32))
    put("npy/huge-fortran", npy("<f8", "(4294967296, 4294967296)", F32, True))
    put("npy/overflow", npy("<f4", "(99999999999999999999,)", F32))
    put("npy/zero", npy("<f4", "(0,)", b""))
    put("npy/negative", npy("<f4", "(-2,)", F32))
    put("npy/rank", npy("|u1", "(1, 1, 1, 1, 1, 1, 1)", b"\1"))
    put("npy/objects", npy("|O", "(2,)", b"\x80\x04K\x01."))
    put("npy/half", npy("<f2", "(4,)", F32))
    put("npy/bfloat", npy("<V2", "(2, 1)", F32[:4]))
    put("npy/per-step", npy("<f4", "(2, 2, 1)", F32 + F32))
    put("npy/complex", npy("<c8", "(1,)", F32))
    put("npy/structure", npy("", "", F32, header="{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"))
    put("npy/twice", npy("", "", F32, header="{'descr': '<f8', 'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}"))
    put("npy/nul", npy("", "", F32, header="{'descr': '<f4\0', 'fortran_order': False, 'shape': (2,), }"))
    put("npy/unquoted", npy("", "", F32, header="{'descr': '<f4"))
    put("npy/long-header", npy("", "", b"", version=2, header="{" + " " * 5000))
    put("npy/length", X[:8] + b"\xff\xff" + X[10:])
    put("npy/nan", npy("<f4", "(2,)", struct.pack("<2f", float("nan"), float("inf"))))


def archive(members, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in members:
            file.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def patched(data, signature, offset, value):
    """Sets the value in all records with this signature."""
    data, at = bytearray(data), data.find(signature)
    while at >= 0:
        data[at + offset:at + offset + len(value)] = value
        at = data.find(signature, at + 1)
    return bytes(data)


def zip64(data, count):
    """The archive with a zip64 end record that declares so many members."""
    end = data.rfind(b"PK\5\6")
    size, at = struct.unpack("<II", data[end + 12:end + 20])
    return (data[:end] + b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, at) +
            b"PK\6\7" + struct.pack("<IQI", 0, end, 1) +
            b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))


def npz_seeds():
    members = [("x.npy", X), ("y.npy", Y)]
    tokens = npy("<i4", "(2, 3)", struct.pack("<6i", 1, 2, 0, 2, 1, 1))
    lengths = npy("<i8", "(2,)", struct.pack("<2q", 3, 1))
    stored, deflated = archive(members), archive(members, zipfile.ZIP_DEFLATED)
    put("npz/stored", stored)
    put("npz/deflated", deflated)
    put("npz/lengths", archive([("x.npy", tokens), ("y.npy", Y), ("length.npy", lengths)], zipfile.ZIP_DEFLATED))
    put("npz/padded", archive([
        ("x.npy", npy("<f4", "(2, 3)", struct.pack("<6f", 1, float("nan"), float("nan"), 2, 3, float("inf")))),
        ("y.npy", npy("<i2", "(2, 3)", struct.pack("<6h", 1, -100, -100, 0, 1, -1))),
        ("lengths.npy", npy("|u1", "(2,)", b"\1\2")), ("z.npy", Y)]))
    put("npz/wide-labels", archive([("x.npy", X), ("y.npy", npy("<i4", "(2,)", struct.pack("<2i", 999998, 999999)))]))
    put("npz/names", archive([("fc/g[2].npy", Y), ("\u00e9.npy", X), ("one.npy", npy(">f8", "()", EIGHT))]))
    put("npz/fortran", archive([("x.npy", npy("<f4", "(2, 3)", struct.pack("<6f", *range(6)), True)), members[1]]))
    put("npz/bomb", archive([("x.npy", npy("<f4", "(2, 131072)", bytes(1 << 20))), members[1]], zipfile.ZIP_DEFLATED))
    put("npz/text-bomb", archive([("x.npy", bytes(1 << 20)), members[1]], zipfile.ZIP_DEFLATED))
    put("npz/bytes", archive([("x.npy", npy("|u1", "(20000,)", bytes(20000)))], zipfile.ZIP_DEFLATED))
    central, local = b"PK\1\2", b"PK\3\4"
    size = struct.pack("<I", 250000)
    put("npz/lying-size", patched(patched(deflated, central, 24, size), local, 22, size))
    put("npz/lying-both", patched(patched(stored, central, 20, size * 2), local, 18, size * 2))
    put("npz/method", patched(patched(deflated, central, 10, b"\x0c\0"), local, 8, b"\x0c\0"))
    put("npz/overlap", patched(stored, central, 42, bytes(4)))
    put("npz/encrypted", patched(patched(stored, central, 8, b"\1\0"), local, 6, b"\1\0"))
    put("npz/crc", patched(stored, central, 16, EIGHT[:4]))
    put("npz/count", stored[:-22] + stored[-22:-14] + b"\xff\x7f\xff\x7f" + stored[-10:])
    put("npz/twice", archive([("x.npy", X), ("z.npy", Y)]).replace(b"z.npy", b"x.npy"))
    put("npz/nul", archive([("x.npy", X), ("yzzz.npy", Y)]).replace(b"yzzz", b"y\0zz"))
    put("npz/no-array", archive([("x.npy", X), ("notes.txt", b"x")]))
    put("npz/no-name", archive([(".npy", X)]))
    put("npz/nothing", archive([]))
    put("npz/zip64", zip64(stored, 2))
    put("npz/zip64-count", zip64(stored, 1 << 28))


# ---- texts ----

def csv_seeds():
    put("csv/plain", "1,2.5,0\n-3e2,4,1\n")
    put("csv/header", "a,b,label\n1,2,0\n3,4,1\n")
    put("csv/windows", "\ufeff1, 2 ,0\r\n3\t,4,1\r\n\r\n")
    put("csv/spaces", "1 2 0\n3 4 1\n")
    put("csv/blanks", "  1 2\t 0 \n3 4 1\n")
    put("csv/semicolons", '"a;b";"c ""d""";e\n1;2;0\n3;4;1\n')
    put("csv/tabs", "1\t2\t0\n3\t4\t1\n")
    put("csv/quotes", '"1", "2" ,"0"\r"3",4,1\r')
    put("csv/open-quote", '1,2,0\n"3,4,1\n')
    put("csv/utf-16", "1,2,0\n".encode("utf-16"))
    put("csv/wide-labels", "1,2,999998\n1,2,999999\n")
    put("csv/gzipped", packed(b"1,2,0\n3,4,1\n"))
    put("csv/bomb", packed(b"1,2,0\n" * 100000))
    put("csv/lines", "1," * 1000 + "0" + "\n" * 60 + "1")
    put("csv/ragged", "1,2,0\n3,1\n")
    put("csv/blank", "1,2,0\n\n3,4,1\n")
    put("csv/words", "1,two,0\n")
    put("csv/empty-field", "1,,0\n3,4,1\n")
    put("csv/one", "1\n2\n")
    put("csv/nan", "nan,1,0\n1,inf,1\n0x10,1,0\n")
    put("csv/large", "1e39,1,0\n1,1e-400,4294967296\n")
    put("csv/long", "1" * 70 + ",1,0\n")
    put("csv/labels", "1,2,999999\n1,2,-1\n1,2,0.5\n")
    put("csv/nul", "1,2\0,0\n")


def text_seeds():
    put("text/words", "the sun and the stars\nshine on all there is\n")
    put("text/bytes", bytes(range(256)))
    put("text/gzipped", packed(b"the sun and the stars " * 10))
    put("text/bomb", packed(bytes(1 << 20)))
    put("text/cut.gz", packed(b"the sun and the stars")[:-5])
    put("text/one", "a")
    put("text/long", "ab" * 40000)


def config_seeds():
    run = {"task": "digits", "classes": "0-9", "validation": 300, "model": "curnn", "units": 1, "layers": 1, "steps": 2,
           "head-units": 64, "optimizer": "adam", "learning-rate": 0.001, "momentum": 0.9, "clip-norm": 0, "schedule": "cosine",
           "epochs": 40, "batch-size": 20, "seed": 1, "dtype": "f32"}
    state = {"epoch": 3, "batch": 2, "seen": 40, "loss_sum": 0.25, "learned": 640, "seconds": 1.5, "bytes": 4096,
             "best_epoch": 2, "squares": 12.5, "history": [[0.5, 0.6, 0.9, None, 0.7], [0.4, 0.5, 0.95, None, 1.4]]}
    put("config/run", json.dumps(run, indent=1))
    put("config/task", json.dumps({"task": "adding", "length": 30, "samples": 500, "model": "lstm", "forget": 2,
                                   "learning-rates": "fc*=0.001,embedding=0.01", "freeze": "Wx*", "bidirectional": True}))
    put("config/text", json.dumps({"task": "text", "data": "/tmp/text", "alphabet": "0a2061", "carry": True}))
    put("config/largest", json.dumps({"task": "moving-digits", "length": 1 << 20, "samples": 1 << 20, "size": 1 << 20,
                                      "units": 4096, "layers": 100, "head-units": 65536, "batch-size": 1 << 20}))
    put("config/state", json.dumps(state))
    put("config/state-start", json.dumps(dict(state, epoch=1, best_epoch=0, history=[])))
    put("config/state-best", json.dumps(dict(state, best_epoch=9)))
    put("config/state-history", json.dumps(dict(state, history=[[1, 2]] * 2)))
    put("config/state-huge", json.dumps(dict(state, epoch=2 ** 60, batch=-1, seconds=1e308)))
    put("config/types", json.dumps({"units": "4"}))
    put("config/range", json.dumps({"units": 1e300, "learning-rate": -0.0}))
    put("config/fraction", json.dumps({"epochs": 2.5}))
    put("config/unknown", json.dumps({"task": "digits", "rows": [], "output": "/tmp"}))
    put("config/twice", '{"model":"gru","model":"lstm","units":4,"units":5}')
    put("config/empty-text", '{"model":""}')
    put("config/nul", '{"model":"gru\\u0000x"}')
    put("config/trailing", '{"model":"gru"} {"model":"lstm"}')
    put("config/infinite", '{"learning-rate":1e999}')
    put("config/array", "[1,2]")
    put("config/deep", "[" * 1500)
    put("config/empty", "{}")


if __name__ == "__main__":
    safetensors_seeds()
    idx_seeds()
    npy_seeds()
    npz_seeds()
    csv_seeds()
    text_seeds()
    config_seeds()
