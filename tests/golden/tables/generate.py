"""Writes the tables of this folder, as PyTorch has them: result types, broadcast shapes and values at extreme inputs.

    python3 -m venv V && V/bin/pip install torch safetensors numpy
    V/bin/python tests/golden/tables/generate.py tests/golden/tables
"""

import random
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

TYPES = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i8": torch.int8,
         "u8": torch.uint8, "i16": torch.int16, "i32": torch.int32, "i64": torch.int64, "bool": torch.bool}
NAMES = {dtype: name for name, dtype in TYPES.items()}


def result_types():
    """`a b both a0 b0 ab0`: the type of a tensor of each with one of the other with axes, and where one has none; then
    each type with the numbers True, 1 and 1.5."""
    lines = []
    for a, ta in TYPES.items():
        for b, tb in TYPES.items():
            x, y = torch.ones(2, dtype=ta), torch.ones(2, dtype=tb)
            x0, y0 = torch.ones((), dtype=ta), torch.ones((), dtype=tb)
            results = [torch.result_type(x, y), torch.result_type(x, y0), torch.result_type(x0, y0)]
            lines.append(" ".join([a, b] + [NAMES[r] for r in results]))
    for a, ta in TYPES.items():
        x = torch.ones(2, dtype=ta)
        lines.append(" ".join([a, "number"] + [NAMES[torch.result_type(x, number)] for number in (True, 1, 1.5)]))
    return lines


def broadcast_shapes():
    """`a;b;result` with sizes separated by commas, or `error`: 500 random pairs, no two the same."""
    random.seed(1)
    lines = []
    while len(lines) < 500:
        base = [random.choice([0, 1, 2, 3, 5, 7]) for _ in range(random.randint(1, 6))]
        pair = []
        for _ in range(2):
            shape = [1 if random.random() < 0.3 else size for size in base[random.randint(0, max(0, len(base) - 2)):]]
            if shape and random.random() < 0.5:
                shape[random.randrange(len(shape))] = random.choice([0, 1, 2, 4])
            pair.append(shape)
        try:
            result = ",".join(map(str, torch.broadcast_shapes(*pair)))
        except RuntimeError:
            result = "error"
        line = ";".join([*(",".join(map(str, shape)) for shape in pair), result])
        if line not in lines:
            lines.append(line)
    return lines


INF, NAN = float("inf"), float("nan")
ROWS = torch.tensor([
    [1e30, -1e30, 0, 1e30], [1e30, 1e30, 1e30, 1e30], [-1e30, -1e30, -1e30, -1e30], [0, 0, 0, 0], [-0.0, 0, -0.0, 0],
    [1e-40, 2e-40, -1e-40, 0], [1e38, -1e38, 1e38, 3e38], [INF, 0, 1, 2], [-INF, 0, 1, 2], [-INF, -INF, -INF, -INF],
    [INF, INF, 0, 1], [INF, -INF, 0, 1], [NAN, 0, 1, 2], [NAN, INF, 0, 1], [88, -88, 104, -104], [1e-30, 1e-30, 1e-30, -1e-30],
    [1e4, 1e4 + 1, 1e4 + 2, 1e4 + 3], [1, 2, 3, 4],
])
LABELS = torch.tensor([0, 1, 2, 3, 0, 1, 2, 1, 0, 0, 2, 1, 0, 3, 1, 2, 3, 0])
PROBABILITIES = torch.tensor([0.0, 1.0, 1e-45, 1e-30, 0.5, 1.0, 0.0, NAN])
ANSWERS = torch.tensor([0.0, 1.0, 1.0, 0.0, 0.25, 0.0, 1.0, 1.0])
OTHERS = torch.tensor([0.0, 1.0, -1e30, 1e30, INF, -INF, NAN, 1e-40])


def extremes():
    x, w, b = ROWS, torch.tensor([1.0, -2.0, 0.5, 3.0]), torch.tensor([0.0, 1.0, -1.0, 2.0])
    flat = torch.tensor([1e30, -1e30, 0.0, -0.0, 1e-40, -1e-40, INF, -INF, NAN, 88.0, -104.0, 20.5, -20.5, 3e38])
    square = x[:16].reshape(1, 16, 2, 2)
    return {
        "rows": x, "weight": w, "bias": b, "labels": LABELS, "flat": flat, "probabilities": PROBABILITIES,
        "answers": ANSWERS, "others": OTHERS,
        "softmax": torch.softmax(x, 1), "log_softmax": torch.log_softmax(x, 1), "logsumexp": torch.logsumexp(x, 1),
        "layer_norm": F.layer_norm(x, (4,), w, b), "rms_norm": F.rms_norm(x, (4,), w, 1e-6),
        "group_norm": F.group_norm(square, 4), "variance": x.var(1), "standard_deviation": x.std(1),
        "norm2": torch.linalg.vector_norm(x, 2, 1), "norm1": torch.linalg.vector_norm(x, 1, 1),
        "norm_inf": torch.linalg.vector_norm(x, INF, 1), "sum": x.sum(1), "mean": x.mean(1), "product": x.prod(1),
        "max": x.amax(1), "min": x.amin(1), "argmax": x.argmax(1), "cumsum": x.cumsum(1),
        "cross_entropy": F.cross_entropy(x, LABELS, reduction="none"),
        "cross_entropy_smooth": F.cross_entropy(x, LABELS, reduction="none", label_smoothing=0.1),
        "nll_loss": F.nll_loss(x, LABELS, reduction="none"),
        "bce": F.binary_cross_entropy(PROBABILITIES[:7], ANSWERS[:7], reduction="none"),
        "bce_logits": F.binary_cross_entropy_with_logits(OTHERS, ANSWERS, reduction="none"),
        "mse": F.mse_loss(OTHERS, ANSWERS, reduction="none"), "l1": F.l1_loss(OTHERS, ANSWERS, reduction="none"),
        "huber": F.huber_loss(OTHERS, ANSWERS, reduction="none"),
        "kl_div": F.kl_div(OTHERS, ANSWERS, reduction="none"),
        "sigmoid": torch.sigmoid(flat), "tanh": torch.tanh(flat), "silu": F.silu(flat), "softplus": F.softplus(flat),
        "gelu": F.gelu(flat, approximate="tanh"), "gelu_exact": F.gelu(flat), "elu": F.elu(flat), "exp": torch.exp(flat),
        "log": torch.log(flat), "log1p": torch.log1p(flat), "expm1": torch.expm1(flat), "rsqrt": torch.rsqrt(flat),
        "sqrt": torch.sqrt(flat), "reciprocal": torch.reciprocal(flat), "erf": torch.erf(flat), "relu": torch.relu(flat),
        "round": torch.round(flat), "sign": torch.sign(flat), "hardswish": F.hardswish(flat),
    }


def main():
    folder = Path(sys.argv[1])
    (folder / "result_types.txt").write_text("\n".join(result_types()) + "\n")
    (folder / "broadcast_shapes.txt").write_text("\n".join(broadcast_shapes()) + "\n")
    save_file({k: v.contiguous() for k, v in extremes().items()}, folder / "extremes.safetensors")


if __name__ == "__main__":
    main()
