"""Writes the golden files of this folder: ten training steps of small networks, as PyTorch computes them.

    python3 -m venv V && V/bin/pip install torch safetensors numpy
    V/bin/python tests/golden/trajectories/generate.py tests/golden/trajectories

A file holds `init.*` (parameters and buffers), `batch.*` (what the step reads), `expected.output` (of the first
forward), `expected.grad.*` (of the first backward), `expected.losses` (ten, each before its update), and
`ask.output`, `ask.grad`, `ask.losses`: how far apart another implementation may be. Asks come from how far PyTorch
in float32 is from itself in double precision and from weights changed by one part in a million, times four (one
part in a million is eight units in the last place; an implementation that adds in another order is off by a few),
but at least the floor of a few units in the last place. Distances: relative L2 for tensors, the worst one; relative
for losses, the worst one.
"""

import copy
import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

STEPS = 10
MARGIN = 4
FLOOR = {"output": 2e-6, "grad": 4e-6, "losses": 2e-6}


class Lion(torch.optim.Optimizer):
    """Chen et al., "Symbolic discovery of optimization algorithms" (2023), algorithm 2."""

    def __init__(self, params, lr, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(group["lr"] * torch.sign(b1 * m + (1 - b1) * p.grad))
                m.mul_(b2).add_(p.grad, alpha=1 - b2)


class Task:
    """A network, its batch, how a step goes; `schedule` may be None."""

    def __init__(self, net, batch, loss, optimiser, schedule=None, clip=None, plateau=False):
        self.net, self.batch, self.loss = net, batch, loss
        self.optimiser, self.schedule, self.clip, self.plateau = optimiser, schedule, clip, plateau


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 8)
        self.lstm = nn.LSTM(8, 6, num_layers=2, bidirectional=True, batch_first=True)
        self.linear = nn.Linear(12, 5)

    def forward(self, x):
        return self.linear(self.lstm(self.embedding(x))[0]).transpose(1, 2)


class SequenceRegression(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(4, 10, batch_first=True)
        self.linear = nn.Linear(10, 1)

    def forward(self, x):
        return self.linear(self.gru(x)[1][-1])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(30, 16)
        self.layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, activation="gelu", batch_first=True)
        self.linear = nn.Linear(16, 3)

    def forward(self, x, seen):
        y = self.layer(self.embedding(x), src_key_padding_mask=seen.logical_not())
        return self.linear(y.mean(1))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerDecoderLayer(12, 3, 24, dropout=0.0, batch_first=True, norm_first=True)
        self.norm = nn.LayerNorm(12)
        self.linear = nn.Linear(12, 7)

    def forward(self, x, memory):
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype)
        return self.linear(self.norm(self.layer(x, memory, tgt_mask=mask, tgt_is_causal=True))).transpose(1, 2)


class Separable(nn.Module):
    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(6, 6, 3, padding=1, groups=6, bias=False)
        self.bn1 = nn.BatchNorm2d(6)
        self.pointwise = nn.Conv2d(6, 12, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(12)
        self.linear = nn.Linear(12, 4)

    def forward(self, x):
        x = F.relu6(self.bn1(self.depthwise(x)))
        x = F.hardswish(self.bn2(self.pointwise(x)))
        return F.log_softmax(self.linear(x.mean((2, 3))), 1)


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.RMSNorm(10, eps=1e-6)
        self.up = nn.Linear(10, 32)
        self.down = nn.Linear(16, 6)

    def forward(self, x):
        return F.log_softmax(self.down(F.glu(self.up(self.norm(x)))), 1)


def ints(*shape, high, low=0):
    return torch.randint(low, high, shape)


def mlp():
    net = nn.Sequential(nn.Linear(12, 24), nn.BatchNorm1d(24), nn.LeakyReLU(0.1), nn.Linear(24, 16), nn.ELU(),
                        nn.Linear(16, 5))
    batch = {"x": torch.randn(16, 12), "y": ints(16, high=5)}
    return Task(net, batch, lambda out, b: F.cross_entropy(out, b["y"], label_smoothing=0.1),
                lambda p: torch.optim.RMSprop(p, lr=2e-3, alpha=0.9, momentum=0.5, centered=True, eps=1e-4),
                lambda o: torch.optim.lr_scheduler.StepLR(o, 3, 0.5))


def convnet():
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(4, 8), nn.SiLU(), nn.MaxPool2d(2),
                        nn.Conv2d(8, 12, 3, stride=2, padding=1), nn.Hardswish(), nn.AdaptiveAvgPool2d((2, 2)),
                        nn.Flatten(), nn.Linear(48, 4))
    batch = {"x": torch.randn(6, 3, 11, 9), "y": ints(6, high=4)}
    batch["y"][2] = -100
    weights = torch.tensor([1.0, 2.0, 0.5, 1.5])
    return Task(net, batch,
                lambda out, b: F.cross_entropy(out, b["y"], weight=weights.to(out.dtype), ignore_index=-100),
                lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
                lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 8, eta_min=0.01))


def autoencoder():
    net = nn.Sequential(nn.Conv2d(1, 6, 3, stride=2, padding=1), nn.GELU(), nn.Conv2d(6, 8, 3, stride=2, padding=1),
                        nn.Tanh(), nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1), nn.GELU("tanh"),
                        nn.ConvTranspose2d(6, 1, 4, stride=2, padding=1), nn.Sigmoid())
    batch = {"x": torch.rand(4, 1, 8, 8)}
    return Task(net, batch, lambda out, b: F.binary_cross_entropy(out, b["x"]),
                lambda p: torch.optim.Adam(p, lr=5e-3), lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.9))


def tagger():
    batch = {"x": ints(3, 7, high=20), "y": ints(3, 7, high=5)}
    batch["y"][1, 4:] = -100
    return Task(Tagger(), batch, lambda out, b: F.cross_entropy(out, b["y"], ignore_index=-100),
                lambda p: torch.optim.AdamW(p, lr=5e-3, weight_decay=0.1),
                lambda o: torch.optim.lr_scheduler.SequentialLR(
                    o, [torch.optim.lr_scheduler.LinearLR(o, 0.25, total_iters=4),
                        torch.optim.lr_scheduler.CosineAnnealingLR(o, 6)], [4]), clip=1.0)


def sequence_regression():
    batch = {"x": torch.randn(5, 9, 4), "y": torch.randn(5, 1)}
    return Task(SequenceRegression(), batch, lambda out, b: F.huber_loss(out, b["y"], delta=0.5),
                lambda p: torch.optim.Adagrad(p, lr=0.05, lr_decay=0.01),
                lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [3, 7], 0.3))


def encoder():
    batch = {"x": ints(4, 6, high=30), "seen": torch.ones(4, 6, dtype=torch.bool), "y": ints(4, 3, high=2).float()}
    batch["seen"][1, 4:] = False
    batch["seen"][3, 5:] = False
    weight = torch.tensor([1.0, 3.0, 0.5])
    return Task(Encoder(), batch,
                lambda out, b: F.binary_cross_entropy_with_logits(out, b["y"].to(out.dtype), pos_weight=weight.to(out.dtype)),
                lambda p: torch.optim.AdamW(p, lr=1e-3, weight_decay=0.01),
                lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.01, total_steps=12))


def decoder():
    batch = {"x": torch.randn(3, 5, 12), "memory": torch.randn(3, 4, 12), "y": ints(3, 5, high=7)}
    return Task(Decoder(), batch, lambda out, b: F.cross_entropy(out, b["y"]),
                lambda p: torch.optim.Adam(p, lr=2e-3, betas=(0.8, 0.95), amsgrad=True),
                lambda o: torch.optim.lr_scheduler.PolynomialLR(o, 12, 2.0))


def waveform():
    net = nn.Sequential(nn.Conv1d(2, 6, 5, stride=2, padding=2), nn.Softplus(), nn.Conv1d(6, 4, 3, dilation=2),
                        nn.Hardtanh(-1.0, 1.0), nn.Flatten(), nn.Linear(28, 3))
    batch = {"x": torch.randn(5, 2, 21), "y": torch.randn(5, 3)}
    return Task(net, batch, lambda out, b: F.l1_loss(out, b["y"]),
                lambda p: torch.optim.Adadelta(p, lr=1.0, rho=0.9),
                lambda o: torch.optim.lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=1), plateau=True)


def gated():
    batch = {"x": torch.randn(7, 10), "y": torch.softmax(torch.randn(7, 6), 1)}
    return Task(Gated(), batch, lambda out, b: F.kl_div(out, b["y"], reduction="batchmean"),
                lambda p: Lion(p, lr=1e-3, weight_decay=0.1),
                lambda o: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 4))


def triplet():
    net = nn.Sequential(nn.Linear(8, 16), nn.Hardsigmoid(), nn.Linear(16, 4))
    batch = {"x": torch.randn(6, 8), "positive": torch.randn(6, 8), "negative": torch.randn(6, 8)}

    def loss(out, b, net):
        p, n = net(b["positive"]), net(b["negative"])
        one = torch.ones(6, dtype=out.dtype)
        return F.triplet_margin_loss(out, p, n, margin=0.7) + F.cosine_embedding_loss(out, n, -one, margin=0.1)

    return Task(net, batch, loss, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
                lambda o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.1, total_iters=8))


def separable():
    batch = {"x": torch.randn(5, 6, 8, 8), "y": ints(5, high=4)}
    return Task(Separable(), batch, lambda out, b: F.nll_loss(out, b["y"]),
                lambda p: torch.optim.AdamW(p, lr=3e-3, weight_decay=0.05), clip=0.5)


def projection():
    net = nn.Sequential(nn.Linear(10, 20, bias=False), nn.SiLU(), nn.Linear(20, 3, bias=False))
    batch = {"x": torch.randn(9, 10), "y": torch.randn(9, 3)}
    return Task(net, batch, lambda out, b: F.smooth_l1_loss(out, b["y"], beta=0.5),
                lambda p: torch.optim.Muon(p, lr=0.02, weight_decay=0.1, momentum=0.9))


def logistic():
    net = nn.Sequential(nn.Linear(6, 1))
    batch = {"x": torch.randn(20, 6), "y": ints(20, 1, high=2).float()}

    def loss(out, b, net):
        w = net[0].weight
        return F.binary_cross_entropy_with_logits(out, b["y"].to(out.dtype)) + 0.01 * w.abs().sum() + 0.02 * (w * w).sum()

    return Task(net, batch, loss, lambda p: torch.optim.LBFGS(p, lr=1.0, max_iter=4, line_search_fn="strong_wolfe"))


TASKS = [mlp, convnet, autoencoder, tagger, sequence_regression, encoder, decoder, waveform, gated, triplet,
         separable, projection, logistic]


def forward(task, net, batch):
    inputs = [batch["x"]] + [batch[name] for name in ("seen", "memory") if name in batch]
    return net(*inputs)


def loss_of(task, net, batch, out):
    wants_net = task.loss.__code__.co_argcount == 3
    return task.loss(out, batch, net) if wants_net else task.loss(out, batch)


def run(task, net, batch):
    """Ten steps; gives the first output, the first gradients and the losses."""
    optimiser = task.optimiser(list(net.parameters()))
    schedule = task.schedule(optimiser) if task.schedule else None
    losses, first = [], None
    for _ in range(STEPS):
        if isinstance(optimiser, torch.optim.LBFGS):
            def closure():
                optimiser.zero_grad()
                value = loss_of(task, net, batch, forward(task, net, batch))
                value.backward()
                return value
            if first is None:
                out = forward(task, net, batch)
                closure()
                first = (out.detach().clone(), {k: p.grad.clone() for k, p in net.named_parameters()})
            loss = optimiser.step(closure)
        else:
            out = forward(task, net, batch)
            loss = loss_of(task, net, batch, out)
            optimiser.zero_grad()
            loss.backward()
            if first is None:
                first = (out.detach().clone(), {k: p.grad.clone() for k, p in net.named_parameters()})
            if task.clip:
                torch.nn.utils.clip_grad_norm_(net.parameters(), task.clip)
            optimiser.step()
        losses.append(loss.item())
        if schedule:
            schedule.step(loss.item()) if task.plateau else schedule.step()
    return first[0], first[1], torch.tensor(losses, dtype=torch.float64)


def distance(a, b):
    return ((a.double() - b.double()).norm() / b.double().norm().clamp_min(1e-30)).item()


def main():
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    print(f"{'network':20} {'output':>22} {'gradients':>22} {'losses':>22} {'KB':>5}")
    for number, make in enumerate(TASKS):
        torch.manual_seed(100 + number)
        task = make()
        net = task.net
        init = {f"init.{k}": v.clone() for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
        double = copy.deepcopy(net).double()
        shaken = copy.deepcopy(net)
        with torch.no_grad():
            for p in shaken.parameters():
                p.mul_(1 + 1e-6 * torch.randn_like(p).clamp(-1, 1))
        wide = {k: v.double() if v.is_floating_point() else v for k, v in task.batch.items()}
        reference = run(task, net, task.batch)
        others = [run(task, double, wide), run(task, shaken, task.batch)]
        spread = {"output": 0.0, "grad": 0.0, "losses": 0.0}
        for out, grads, losses in others:
            spread["output"] = max(spread["output"], distance(reference[0], out))
            largest = max(g.double().norm().item() for g in grads.values())
            for k, g in grads.items():
                # Gradients that are zero up to rounding (of a bias before a norm, say) are measured against the others.
                scale = max(g.double().norm().item(), 1e-3 * largest)
                spread["grad"] = max(spread["grad"], (reference[1][k].double() - g.double()).norm().item() / scale)
            spread["losses"] = max(spread["losses"], ((reference[2] - losses) / losses).abs().max().item())
        ask = {k: max(MARGIN * v, FLOOR[k]) for k, v in spread.items()}
        tensors = dict(init)
        tensors |= {f"batch.{k}": v for k, v in task.batch.items()}
        tensors["expected.output"] = reference[0]
        tensors |= {f"expected.grad.{k}": g for k, g in reference[1].items()}
        tensors["expected.losses"] = reference[2]
        tensors |= {f"ask.{k}": torch.tensor(v, dtype=torch.float64) for k, v in ask.items()}
        path = folder / f"{make.__name__}.safetensors"
        save_file({k: v.contiguous() for k, v in tensors.items()}, path)
        cells = "".join(f"{spread[k]:10.1e} / {ask[k]:9.1e}" for k in ("output", "grad", "losses"))
        print(f"{make.__name__:20} {cells} {path.stat().st_size / 1024:6.0f}")


if __name__ == "__main__":
    main()
