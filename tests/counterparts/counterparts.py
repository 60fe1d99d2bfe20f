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


def onnx_cases():
    """Operators as other exporters spell them: name, nodes, arrays for the inputs, initializers, attributes of the model."""
    import numpy
    from onnx import TensorProto, helper

    random = numpy.random.default_rng(1)
    x = random.uniform(0.5, 2, (3, 4, 5)).astype("f4")
    matrix = random.uniform(-1, 1, (4, 6)).astype("f4")
    image = random.uniform(-1, 1, (2, 4, 7, 6)).astype("f4")
    signal = random.uniform(-1, 1, (2, 4, 9)).astype("f4")
    tokens = random.integers(0, 4, (2, 3))

    def whole(*values):
        return numpy.array(values, "i8")

    def node(operator, inputs, output="y", **attributes):
        return helper.make_node(operator, inputs, [output], **attributes)

    def one(operator, *fixed, given=(x,), **attributes):
        """A node of `given`, then `fixed`: absent where None."""
        names = [f"x{i}" for i in range(len(given))] + ["" if array is None else f"f{i}" for i, array in enumerate(fixed)]
        tensors = {f"f{i}": array for i, array in enumerate(fixed) if array is not None}
        return [node(operator, names, **attributes)], list(given), tensors

    def weights(*shape):
        return random.uniform(-1, 1, shape).astype("f4")

    for operator in ("Abs Ceil Cos Elu Erf Exp Floor HardSigmoid HardSwish Identity LeakyRelu Log LogSoftmax Neg Reciprocal Relu Round Selu "
                     "Celu Sigmoid Sign Sin Softmax Softplus Softsign Sqrt Tanh IsNaN IsInf Flatten Transpose ArgMax ArgMin "
                     "ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare").split():
        yield operator, *one(operator, given=(x - 1.2 if operator not in ("Log", "Sqrt") else x,))
    for operator in "Add Div Equal Greater GreaterOrEqual Less LessOrEqual Max Min Mul Pow Sub Sum PRelu".split():
        yield operator, *one(operator, x[1, :, :1].copy())
    for operator in "And Or Xor".split():
        yield operator, *one(operator, x[0] < 1.5, given=(x < 1,))
    for operator in ("ReduceMean", "ReduceMax"):
        yield operator + "-attribute", *one(operator, axes=[0, -1], keepdims=0)
    yield "ReduceSum-axes", *one("ReduceSum", whole(0, -1), keepdims=0)
    yield "ReduceSum-none", *one("ReduceSum", whole(), noop_with_empty_axes=1)
    yield "ReduceSum-i32", *one("ReduceSum", whole(1), given=((x * 9).astype("i4"),))
    yield "ArgMax-axis", *one("ArgMax", axis=-1, keepdims=0)
    yield "CumSum", *one("CumSum", whole(1).reshape(()))
    yield "CumSum-reverse", *one("CumSum", whole(-1).reshape(()), reverse=1)
    yield "LeakyRelu-alpha", *one("LeakyRelu", given=(x - 1,), alpha=0.3)
    yield "HardSigmoid-alpha", *one("HardSigmoid", given=(x - 1,), alpha=1 / 6)
    yield "Selu-alpha", *one("Selu", given=(x - 1,), alpha=0.7, gamma=1.0)
    yield "Clip", *one("Clip", numpy.float32(0.9), numpy.float32(1.4))
    yield "Clip-high", *one("Clip", None, numpy.float32(1.4))
    yield "Clip-none", *one("Clip")
    yield "Clip-given", *one("Clip", None, given=(x, numpy.float32(1)))
    yield "Not", *one("Not", given=(x < 1,))
    yield "Where", *one("Where", numpy.float32(0), given=(x < 1, x))
    yield "Pow-i8", *one("Pow", whole(3))
    yield "Cast", *one("Cast", given=(x * 3,), to=TensorProto.INT64)
    yield "Cast-bool", *one("Cast", given=(numpy.floor(x),), to=TensorProto.BOOL)
    yield "Slice", *one("Slice", whole(1, 0), whole(-1, 2**63 - 1), whole(2, 0), whole(2, 1))
    yield "Slice-back", *one("Slice", whole(-1, 2), whole(-(2**63), 0), whole(2, 1), whole(-2, -1))
    yield "Slice-beyond", *one("Slice", whole(-9, 7), whole(9, 1), whole(0, 2), whole(1, -3))
    yield "Slice-nothing", *one("Slice", whole(1), whole(3), whole(1), whole(-1))
    yield "Slice-first", *one("Slice", whole(1), whole(2))
    yield "Squeeze", *one("Squeeze", whole(0, -1), given=(x[:1, :, :1],))
    yield "Squeeze-all", *one("Squeeze", given=(x[:1, :, :1],))
    yield "Unsqueeze", *one("Unsqueeze", whole(-1, 0))
    yield "Reshape", *one("Reshape", whole(0, -1))
    yield "Reshape-zero", *one("Reshape", whole(4, 0, 7), given=(x[:0],), allowzero=1)
    yield "Expand", *one("Expand", whole(2, 1, 1, 5), given=(x[:, :, :1],))
    yield "Tile", *one("Tile", whole(2, 1, 2))
    yield "Transpose-perm", *one("Transpose", perm=[1, 2, 0])
    yield "Flatten-axis", *one("Flatten", axis=-1)
    yield "Concat", *one("Concat", x[:, :1], axis=-2)
    yield "Gather", *one("Gather", whole(3, -1, 0), axis=1)
    yield "Gather-one", *one("Gather", whole(-2).reshape(()), axis=2)
    yield "Gather-rows", *one("Gather", given=(matrix, tokens))
    yield "Gather-matrix", *one("Gather", given=(x, tokens), axis=1)
    yield "GatherElements", *one("GatherElements", numpy.array([[[0, -1]]]), axis=1)
    yield "Trilu", *one("Trilu", whole(1).reshape(()), upper=0)
    yield "Trilu-upper", *one("Trilu")
    yield "Pad", *one("Pad", whole(0, 1, 2, 1, 0, 0), numpy.float32(0.5))
    yield "Pad-cut", *one("Pad", whole(0, -1, 2, 1, 0, -3))
    yield "Dropout", *one("Dropout", numpy.float32(0.5), numpy.bool_(False))
    yield "Gelu", *one("Gelu", given=(x - 1,))
    yield "Gelu-tanh", *one("Gelu", given=(x - 1,), approximate="tanh")
    yield "CastLike", *one("CastLike", whole(1))
    for operator in ("Mod", "Div"):
        yield f"{operator}-i64", [node(operator, ["a", "b"], "c"), node("Add", ["x0", "c"])], [whole(1, 2, 3, 4)], \
            {"a": whole(-7, 7, -7, 6), "b": whole(3, -3, -3, 3)}
    yield "Constant", [node("Constant", [], "a", value_float=0.5), node("Constant", [], "b", value_floats=[1.0, 2.0, 3.0, 4.0, 5.0]),
                       node("Constant", [], "c", value_int=3), node("Constant", [], "d", value_ints=[0, 1]),
                       node("Constant", [], "e", value=helper.make_tensor("", TensorProto.FLOAT, [4, 1], [1.0, 2.0, 3.0, 4.0])),
                       node("Mul", ["x0", "a"], "f"), node("Add", ["f", "b"], "g"), node("Sub", ["g", "e"], "h"), node("Trilu", ["h", "c"], "i"),
                       node("ReduceSum", ["i", "d"])], [x], {}
    yield "Size", *one("Size")
    yield "Shape", *one("Shape", start=1, end=-1)
    yield "MatMul", *one("MatMul", weights(5, 2))
    yield "Gemm", *one("Gemm", weights(4, 5), weights(6, 1), given=(matrix,), transA=1, alpha=0.5, beta=2.0)
    yield "Gemm-linear", *one("Gemm", weights(5, 6), weights(5), given=(matrix,), transB=1)
    yield "Gemm-plain", *one("Gemm", weights(6, 5), given=(matrix,))
    convolution = {"group": 2, "strides": [2, 1], "dilations": [1, 2], "kernel_shape": [3, 2]}
    yield "Conv", *one("Conv", weights(6, 2, 3, 2), weights(6), given=(image,), pads=[1, 2, 1, 2], **convolution)
    yield "Conv-uneven", *one("Conv", weights(6, 2, 3, 2), given=(image,), pads=[0, 2, 1, 0], **convolution)
    yield "Conv-signal", *one("Conv", weights(3, 4, 3), weights(3), given=(signal,), pads=[1, 2], strides=[2])
    yield "MaxPool", *one("MaxPool", given=(image,), kernel_shape=[3, 2], strides=[2, 1], pads=[1, 1, 1, 1])
    yield "MaxPool-uneven", *one("MaxPool", given=(image,), kernel_shape=[3, 3], pads=[0, 1, 2, 0], dilations=[2, 1])
    yield "MaxPool-signal", *one("MaxPool", given=(signal,), kernel_shape=[3], strides=[2])
    yield "AveragePool", *one("AveragePool", given=(image,), kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 0])
    yield "AveragePool-uneven", *one("AveragePool", given=(image,), kernel_shape=[3, 2], pads=[0, 1, 1, 0], count_include_pad=1)
    yield "GlobalAveragePool", *one("GlobalAveragePool", given=(image,))
    yield "GlobalMaxPool", *one("GlobalMaxPool", given=(signal,))
    yield "BatchNormalization", *one("BatchNormalization", weights(4), weights(4), weights(4), weights(4) + 1.5, given=(image,), epsilon=0.1)
    yield "InstanceNormalization", *one("InstanceNormalization", weights(4), weights(4), given=(image,))
    yield "LayerNormalization", *one("LayerNormalization", weights(5), weights(5), given=(x,), epsilon=0.1)
    yield "RMSNormalization", *one("RMSNormalization", weights(5), given=(x,), epsilon=0.1)
    yield "LayerNormalization-axes", *one("LayerNormalization", weights(4, 5), given=(x,), axis=1)
    for operator, fixed in (("Split", [whole(1, 3)]), ("Split", []), ("Split-last", [])):
        parts = ["y", "z", "w"][: 3 if operator == "Split-last" else 2]
        attributes = {"axis": 2 if parts[2:] else 1, **({"num_outputs": 3} if parts[2:] else {})}
        names = ["x0"] + [f"f{i}" for i in range(len(fixed))]
        yield f"{operator}-{len(fixed)}", [helper.make_node("Split", names, parts, **attributes)], [x], {"f0": fixed[0]} if fixed else {}
    # PyTorch's exact GELU and its attention mask, as the older exporter spells them.
    yield "gelu-by-erf", [
        node("Div", ["x0", "root"], "a"), node("Erf", ["a"], "b"), node("Add", ["b", "one"], "c"), node("Mul", ["x0", "c"], "d"),
        node("Mul", ["d", "half"])], [x - 1], {"root": numpy.float32(2**0.5), "one": numpy.float32(1), "half": numpy.float32(0.5)}
    yield "mask", [
        node("Shape", ["x0"], "shape"), node("Slice", ["shape", "minus", "end"], "size"), node("Concat", ["size", "size"], "sizes", axis=0),
        node("ConstantOfShape", ["sizes"], "ones", value=helper.make_tensor("", TensorProto.FLOAT, [1], [1.0])),
        node("Trilu", ["ones"], "lower", upper=0), node("Equal", ["lower", "zero"], "hidden"), node("Where", ["hidden", "infinity", "zero"], "mask"),
        node("Add", ["x0", "mask"], "scores"), node("Softmax", ["scores"])], \
        [random.uniform(-1, 1, (2, 5, 5)).astype("f4")], \
        {"minus": whole(-1), "end": whole(2**63 - 1), "zero": numpy.float32(0), "infinity": numpy.float32(-numpy.inf)}
    yield "range", [
        node("Shape", ["x0"], "shape"), node("Gather", ["shape", "one"], "count"), node("Range", ["zero", "count", "one"], "places"),
        node("Mod", ["places", "three"], "turns"), node("Cast", ["turns"], "numbers", to=TensorProto.FLOAT),
        node("Unsqueeze", ["numbers", "last"], "column"), node("Mul", ["x0", "column"])], \
        [x], {"zero": whole(0).reshape(()), "one": whole(1).reshape(()), "three": whole(3).reshape(()), "last": whole(1)}


def onnx_read(folder, espalier):
    """Models by the package of ONNX; Espalier computes of them what ONNX Runtime does."""
    import numpy
    import onnxruntime
    from onnx import helper, numpy_helper, save_model

    for number, (name, nodes, given, fixed) in enumerate(onnx_cases()):
        names = [f"x{i}" for i in range(len(given))]
        infos = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), [f"{n}{i}" for i in range(a.ndim)])
                 for n, a in zip(names, map(numpy.asarray, given))]
        initializers = [numpy_helper.from_array(numpy.asarray(array), key) for key, array in fixed.items()]
        outputs = [helper.make_empty_tensor_value_info(n) for n in nodes[-1].output]
        graph = helper.make_graph(nodes, "graph", infos, outputs, initializers)
        later = {"Gelu": 20, "RMSNormalization": 23, "Split-last": 18}  # than 17, which is what others are written in
        version = next((number for start, number in later.items() if name.startswith(start)), 17)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=10)
        path = folder / f"{number:03}-{name}.onnx"
        elsewhere = {"save_as_external_data": True, "size_threshold": 0, "location": path.stem + ".data"} if number % 3 == 0 else {}
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        found = session.run(None, {n: numpy.asarray(a) for n, a in zip(names, given)})
        save_model(model, path, **elsewhere)
        sizes = {f"size:{n}{i}": numpy.int64(size) for n, a in zip(names, given) for i, size in enumerate(numpy.shape(a))}
        numpy.savez(path.with_suffix(".npz"), **sizes, **{f"input{i}": a for i, a in enumerate(given)},
                    **{f"output{i}": numpy.asarray(a) for i, a in enumerate(found)})
    espalier("check", folder)


FORMATS = {
    "safetensors": safetensors,
    "npy": npy,
    "npz": npz,
    "events": events,
    "metrics": metrics,
    "trace": trace,
    "resize": resize,
    "onnx": onnx,
    "onnx_read": onnx_read,
}


def main():
    program, name = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        FORMATS[name](pathlib.Path(folder), lambda what, where: subprocess.run([program, what, name, where], check=True))


main()
