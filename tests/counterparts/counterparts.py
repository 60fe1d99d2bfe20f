"""Tests Espalier's files with their real counterparts, both ways, and its images with Pillow's; counterparts.cc is Espalier's
side.

    counterparts.py PROGRAM FORMAT    PROGRAM is the built counterparts.cc
"""

import csv
import json
import math
import pathlib
import reprlib
import subprocess
import sys
import tempfile

SHAPES = [(), (3,), (0, 4), (2, 3, 5)]
# Names of a type: Espalier's, the one in safetensors files, what that package calls it, NumPy's; bytes of an element.
TYPES = [
    ("f64", "F64", "float64", "f8", 8),
    ("f32", "F32", "float32", "f4", 4),
    ("f16", "F16", "float16", "f2", 2),
    ("bf16", "BF16", "bfloat16", None, 2),
    ("f8_e4m3", "F8_E4M3", "float8_e4m3fn", None, 1),
    ("f8_e5m2", "F8_E5M2", "float8_e5m2", None, 1),
    ("i8", "I8", "int8", "i1", 1),
    ("u8", "U8", "uint8", "u1", 1),
    ("i16", "I16", "int16", "i2", 2),
    ("i32", "I32", "int32", "i4", 4),
    ("i64", "I64", "int64", "i8", 8),
    ("bool", "BOOL", "bool", "b1", 1),
    ("u16", "U16", "uint16", "u2", 2),
    ("u32", "U32", "uint32", "u4", 4),
    ("u64", "U64", "uint64", "u8", 8),
]


def pattern(ours, shape, size):
    """The bytes of a sample, in row-major order."""
    return bytes(i % 2 if ours == "bool" else (i * 7 + 1) % 256 for i in range(math.prod(shape) * size))


def samples():
    """Name, shape, names of the type (but Espalier's), bytes."""
    for ours, in_file, word, in_numpy, size in TYPES:
        for number, shape in enumerate(SHAPES):
            yield f"{ours}-{number}", shape, (in_file, word, in_numpy), pattern(ours, shape, size)


def arrays():
    """The samples that NumPy has a type for: name, array."""
    import numpy

    for name, shape, (_, _, in_numpy), data in samples():
        if in_numpy:
            yield name, numpy.frombuffer(data, "<" + in_numpy).reshape(shape)


def same(found, expected, what):
    assert found == expected, f"{what}: {reprlib.repr(found)} instead of {reprlib.repr(expected)}"


def safetensors(folder, espalier):
    import safetensors as package
    from safetensors.numpy import save_file

    espalier("write", folder)
    path = folder / "ours.safetensors"
    found = dict(package.deserialize(path.read_bytes()))
    for name, shape, (in_file, _, _), data in samples():
        tensor = found.pop(name)
        same((tensor["dtype"], tuple(tensor["shape"])), (in_file, shape), name)
        same(bytes(tensor["data"]), data, name)
    same(found, {}, "tensors besides")
    with package.safe_open(path, "numpy") as file:
        same(file.metadata(), {"made by": "Espalier “quoted”"}, "metadata")
        for name, array in arrays():
            tensor = file.get_tensor(name)
            same((tensor.dtype, tensor.shape, tensor.tobytes()), (array.dtype, array.shape, array.tobytes()), name)

    tensors = {
        name: {"dtype": word, "shape": list(shape), "data": data} for name, shape, (_, word, _), data in samples()
    }
    package.serialize_file(tensors, folder / "theirs.safetensors", {"made by": "safetensors “quoted”"})
    save_file(dict(arrays()), folder / "numpy.safetensors")
    espalier("check", folder)


def npy(folder, espalier):
    import numpy

    espalier("write", folder)
    for name, array in arrays():
        for mode in (None, "r"):
            found = numpy.load(folder / f"{name}.npy", mmap_mode=mode if array.size else None, allow_pickle=False)
            same((found.dtype, found.shape, found.tobytes()), (array.dtype, array.shape, array.tobytes()), name)
    for name, array in arrays():
        numpy.save(folder / f"{name}-little.npy", array)
        numpy.save(folder / f"{name}-big.npy", array.astype(array.dtype.newbyteorder(">")))
        numpy.save(folder / f"{name}-fortran.npy", numpy.asarray(array, order="F"))
        for version in (2, 3):
            with open(folder / f"{name}-version{version}.npy", "wb") as file:
                numpy.lib.format.write_array(file, array, (version, 0))
    espalier("check", folder)


def npz(folder, espalier):
    import numpy

    espalier("write", folder)
    for file in ("stored.npz", "compressed.npz"):
        with numpy.load(folder / file, allow_pickle=False) as found:
            same(sorted(found.files), sorted(name for name, _ in arrays()), "names")
            for name, array in arrays():
                got = found[name]
                same((got.dtype, got.shape, got.tobytes()), (array.dtype, array.shape, array.tobytes()), name)
    numpy.savez(folder / "savez.npz", **dict(arrays()))
    numpy.savez_compressed(folder / "savez_compressed.npz", **dict(arrays()))
    espalier("check", folder)


def check_histogram(found, elements):
    """A histogram of TensorBoard's reader against NumPy's."""
    import numpy

    same((found.min, found.max, found.num), (elements.min(), elements.max(), elements.size), "bounds")
    # Sums of ten numbers in double precision, added in another order.
    numpy.testing.assert_allclose((found.sum, found.sum_squares), (elements.sum(), (elements**2).sum()), rtol=1e-14)
    edges = [-math.inf] + found.bucket_limit
    same(sum(found.bucket), elements.size, "elements in buckets")
    for left, right, count in zip(edges, edges[1:], found.bucket):
        same(count, ((elements >= left) & (elements < right)).sum(), f"elements from {left} to {right}")


def events(folder, espalier):
    import numpy
    from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
    from tensorboard.util import tensor_util

    def load(reader, run):
        everything = {kind: 0 for kind in reader.DEFAULT_SIZE_GUIDANCE}  # keep all events of each kind
        return reader.EventAccumulator(str(folder / run), everything).Reload()

    def tensors(run, tag):
        return [(event.step, tensor_util.make_ndarray(event.tensor_proto)) for event in run.Tensors(tag)]

    espalier("write", folder)
    run = load(event_accumulator, "run")
    same(sorted(run.Tags()["scalars"]), ["special", "train/loss"], "tags")
    loss = run.Scalars("train/loss")
    same([event.step for event in loss], list(range(2000)), "steps")
    for event in loss:
        same(event.value, float(numpy.float32((1 if event.step < 1000 else 2) / (1 + event.step))), f"step {event.step}")
    assert all(a.wall_time <= b.wall_time for a, b in zip(loss, loss[1:])), "time runs backwards"
    special = [(event.step, event.value) for event in run.Scalars("special")]
    same(special[:2] + special[3:], [(0, math.inf), (1, -math.inf), (1 << 40, 4)], "special")
    assert special[2][0] == 2 and math.isnan(special[2][1]), special[2]

    elements = numpy.load(folder / "weights.npy")
    histograms = run.Histograms("weights")
    same([event.step for event in histograms], list(range(0, 2000, 100)), "steps of histograms")
    for event in histograms:
        check_histogram(event.histogram_value, elements)
    same(len(run.CompressedHistograms("weights")), 20, "distributions")

    edges = load(event_accumulator, "edges")
    same(sorted(edges.Tags()["histograms"]), ["broken", "i8", "nothing", "zeros"], "tags")
    same([(event.step, event.value) for event in edges.Scalars("broken/not_finite")], [(0, 1.0)], "not finite")
    for tag, values in [("broken", [1, -1]), ("zeros", [0] * 8), ("i8", [-128, 127, 5])]:
        check_histogram(edges.Histograms(tag)[0].histogram_value, numpy.array(values, float))
    same(edges.Histograms("nothing")[0].histogram_value.num, 0, "elements of nothing")
    same(tensors(edges, "cut")[0][1].item().decode(), "\ufffd\ufffd", "cut text")

    # The reader behind TensorBoard's pages makes tensors of everything. It alone forgets texts, too, where a run resumed.
    run = load(plugin_event_accumulator, "run")
    same(run.PluginTagToContent("text").keys(), {"notes"}, "plugin")
    for tag, steps in [("train/loss", 1), ("weights", 100), ("notes", 100)]:
        same([step for step, _ in tensors(run, tag)], list(range(0, 2000, steps)), f"steps of {tag}")
    for step, text in tensors(run, "notes"):
        same(text.item().decode(), f"step **{step}** – run {1 if step < 1000 else 2}.000000", "text")
    edges = load(plugin_event_accumulator, "edges")
    same(edges.PluginTagToContent("histograms").keys(), {"broken", "i8", "nothing", "zeros"}, "plugin")
    same(tensors(edges, "zeros")[0][1].tolist(), [[0, 0, 8]], "zeros")
    same(tensors(edges, "nothing")[0][1].tolist(), [], "nothing")
    i8 = tensors(edges, "i8")[0][1]
    same((i8[0, 0], i8[-1, 1], i8[:, 2].sum()), (-128, 127, 3), "bounds of i8")


def metrics(folder, espalier):
    espalier("write", folder)
    long, dash = 'a "b", c', "–"
    expected = [{"step": step, long: 1 / (3 + step), dash: -1e300} for step in range(100)]
    with open(folder / "metrics.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    same(list(rows[0]), ["step", long, dash], "header")
    numbers = [{name: float(cell) for name, cell in row.items()} for row in rows[:100]]
    same(numbers, expected, "rows")
    same([row[long] for row in rows[100:]], ["", ""], "missing numbers")
    assert math.isnan(float(rows[100][dash])) and float(rows[101][dash]) == -math.inf, rows[100:]

    lines = (folder / "metrics.jsonl").read_text("utf-8").splitlines()
    objects = [json.loads(line, parse_constant=lambda word: same(word, None, "no JSON")) for line in lines]
    same(objects, expected + [{"step": 100, dash: None}, {"step": 101, dash: None}], "objects")


def trace(folder, espalier):
    """Chrome's viewer is not for scripts; its format in JSON asks for these keys ("Trace Event Format")."""
    espalier("write", folder)
    document = json.loads((folder / "trace.json").read_text("utf-8"))
    assert document["displayTimeUnit"] in ("ms", "ns"), document
    found = {}
    for event in document["traceEvents"]:
        same(event["ph"], "X", "phase")
        for key, kinds in {"name": str, "ts": (int, float), "dur": (int, float), "pid": int, "tid": int}.items():
            assert isinstance(event[key], kinds), f"{key} of {event}"
        assert event["ts"] >= 0 and event["dur"] >= 0, event
        assert all(isinstance(text, str) for text in event.get("args", {}).values()), event
        found[event["name"]] = event
    outer, inner, other = found['outer "quoted" –'], found["inner"], found["other thread"]
    same(outer["args"]["shape"], "f32[2, 3]", "arguments")
    assert "copy" in found, sorted(found)
    assert outer["ts"] <= inner["ts"] and inner["ts"] + inner["dur"] <= outer["ts"] + outer["dur"], "spans don't nest"
    assert inner["tid"] == outer["tid"] != other["tid"], "threads"
    same({event["pid"] for event in found.values()}, {outer["pid"]}, "processes")


def resize(folder, espalier):
    """Pillow's images hold one plane each here: bytes ("L") or single floats ("F")."""
    import numpy
    from PIL import Image

    espalier("write", folder)
    with numpy.load(folder / "images.npz") as images, numpy.load(folder / "resized.npz") as resized:
        same(len(images.files), 14, "images")
        for name in images.files:
            image, found = images[name], resized[name]
            height, width = found.shape[1:]
            if name.startswith("middle"):
                side, shorter = found.shape[1], min(image.shape[1:])
                height, width = (side * size // shorter for size in image.shape[1:])
            top, left = (height - found.shape[1]) // 2, (width - found.shape[2]) // 2
            same(len(found), len(image), f"planes of {name}")
            for plane, got in zip(image, found):
                whole = Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR)
                expected = numpy.asarray(whole)[top : top + found.shape[1], left : left + found.shape[2]]
                same((got.dtype, got.shape), (expected.dtype, expected.shape), name)
                # Pillow rounds bytes between the axes, too. Floats up to 255 have steps of 1.5e-5.
                tolerance = 1 if got.dtype == numpy.uint8 else 1e-4
                apart = numpy.abs(got.astype(float) - expected.astype(float)).max()
                assert apart <= tolerance, f"{name}: {apart} apart"


def onnx(folder, espalier):
    import numpy
    import onnxruntime

    espalier("write", folder)
    models = sorted(folder.glob("*.onnx"))
    same(len(models), 10, "models")
    for model in models:
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        with numpy.load(model.with_suffix(".npz")) as example:
            expected = example["output"]
            (found,) = session.run(None, {session.get_inputs()[0].name: example["input"]})
        same((found.dtype, found.shape), (expected.dtype, expected.shape), model.name)
        apart = numpy.linalg.norm(found - expected) / numpy.linalg.norm(expected)
        # The same f32 arithmetic, summed in other orders, through twenty layers at most.
        assert apart <= 1e-5, f"{model.name}: {apart} apart"


FORMATS = {
    "safetensors": safetensors,
    "npy": npy,
    "npz": npz,
    "events": events,
    "metrics": metrics,
    "trace": trace,
    "resize": resize,
    "onnx": onnx,
}


def main():
    program, name = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        FORMATS[name](pathlib.Path(folder), lambda what, where: subprocess.run([program, what, name, where], check=True))


main()
