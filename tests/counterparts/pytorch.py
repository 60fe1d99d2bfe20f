"""Models that PyTorch exports as ONNX files, both ways in which it does, for Espalier to compute what PyTorch computes.

    pytorch.py PROGRAM    PROGRAM is the built counterparts.cc; needs torch and onnxscript, and workloads.py of
                          $ESPALIER_SHARED/peers
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy
import torch
from torch import nn

sys.path.insert(0, os.path.join(os.environ.get("ESPALIER_SHARED", "../shared"), "peers"))
import workloads  # noqa: E402


def small_net():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU6(), nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Hardswish(), nn.AvgPool2d(2), nn.Dropout(), nn.Conv2d(8, 16, 1), nn.SiLU(),
        nn.ConstantPad2d((1, 0, 0, 2), 0.5), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10), nn.GELU(), nn.LogSoftmax(-1))


def encoder():
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), 2)


MODELS = {
    "mlp": (lambda: workloads.Mlp([64, 32, 10]), lambda: torch.randn(5, 64)),
    "seed_net": (workloads.SeedNet, lambda: torch.randn(2, 3, 16, 16)),
    "resnet20": (lambda: workloads.ResNetCifar(3), lambda: torch.randn(2, 3, 32, 32)),
    "gpt": (lambda: workloads.Gpt(2, 32, 4, 16, 50), lambda: torch.randint(50, (2, 12))),
    "small_net": (small_net, lambda: torch.randn(2, 3, 32, 32)),
    "encoder": (encoder, lambda: torch.randn(2, 7, 32)),
}
EXPORTS = {
    "script": {"dynamo": False, "opset_version": 17},
    "script_free": {"dynamo": False, "opset_version": 17, "dynamic_axes": {"x": {0: "batch"}}},
    "dynamo": {"dynamo": True, "verbose": False, "dynamic_shapes": ({},)},
    "dynamo_free": {"dynamo": True, "verbose": False, "dynamic_shapes": ({0: torch.export.Dim("batch")},)},
    "dynamo_18": {"dynamo": True, "verbose": False, "dynamic_shapes": ({},), "opset_version": 18},
}


def randomise(model):
    """Weights as training leaves them: a fresh batch norm or bias would hide what is left out."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif tensor.is_floating_point():
                tensor.add_(torch.empty_like(tensor).uniform_(-0.2, 0.2))


def export(folder, name, model, x):
    for way, options in EXPORTS.items():
        path = folder / f"{name}-{way}.onnx"
        torch.onnx.export(model, (x,), path, input_names=["x"], output_names=["y"], **options)
        arrays = {"input0": x.numpy(), "output0": model(x).detach().numpy()}
        if way.endswith("free"):
            arrays["size:batch"] = numpy.int64(len(x))
        numpy.savez(path.with_suffix(".npz"), **arrays)


def main():
    warnings.filterwarnings("ignore")
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        for name, (make, example) in MODELS.items():
            model = make().eval()
            randomise(model)
            export(pathlib.Path(folder), name, model, example())
        subprocess.run([sys.argv[1], "check", "onnx_read", folder], check=True)


main()
