"""Times single operations here and in PyTorch's eager mode, in turns, and prints a table of ratios.

    V/bin/python bench/eager_speed.py build/release/bench/eager_speed [--threads 2] [--rounds 5] [--seconds 0.1]
                                      [--only TEXT] [--markdown FILE]

V is a virtual environment with torch. In each round, each case is timed in PyTorch and then here for --seconds;
`ratio` is PyTorch's time over ours (above 1: ours is faster), the median over the rounds, with the lowest and highest.
Both sides get operands of the same shapes, filled with normal random numbers.
"""

import argparse
import math
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F

N = torch.randn


def cl(x):
    return x.to(memory_format=torch.channels_last)


def conv(x, w, **options):
    x, w, b = cl(N(*x)), N(*w), N(w[0])
    return lambda: F.conv2d(x, w, b, **options)


def attend(*shape):
    q, k, v = N(*shape), N(*shape), N(*shape)
    return lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)


def unary(f, *shape, transposed=False):
    x = N(*shape)
    x = x.t() if transposed else x
    return lambda: f(x)


def binary(f, a, b=None, transposed=False):
    x, y = N(*a), N(*(b or a))
    y = y.t() if transposed else y
    return lambda: f(x, y)


def where():
    x, y = N(256, 1024), N(256, 1024)
    seen = x < y
    return lambda: torch.where(seen, x, y)


def layer_norm():
    x, w, b = N(768, 512), N(512), N(512)
    return lambda: F.layer_norm(x, (512,), w, b, 1e-5)


def cross_entropy():
    x, y = N(768, 65), torch.randint(0, 65, (768,))
    return lambda: F.cross_entropy(x, y)


def linear(n, i, o):
    x, w, b = N(n, i), N(o, i), N(o)
    return lambda: F.linear(x, w, b)


def embedding():
    w, i = N(65, 128), torch.randint(0, 65, (12, 64))
    return lambda: F.embedding(i, w)


def gather():
    x, i = N(1024, 1024), torch.randint(0, 1024, (1024, 1024))
    return lambda: torch.gather(x, 1, i)


def pool():
    x = cl(N(16, 64, 32, 32))
    return lambda: F.max_pool2d(x, 2)


def copy_transposed():
    x = N(1024, 1024).t()
    return lambda: x.contiguous()


K = 1024
CASES = {
    "add 64": lambda: binary(torch.add, (64,)),
    "add 256x1024": lambda: binary(torch.add, (256, K)),
    "add 4096x1024": lambda: binary(torch.add, (4096, K)),
    "add row 1024x1024": lambda: binary(torch.add, (K, K), (K,)),
    "add column 1024x1024": lambda: binary(torch.add, (K, K), (K, 1)),
    "add transposed 1024x1024": lambda: binary(torch.add, (K, K), transposed=True),
    "multiply 64": lambda: binary(torch.mul, (64,)),
    "multiply 1024x1024": lambda: binary(torch.mul, (K, K)),
    "divide 256x1024": lambda: binary(torch.div, (256, K)),
    "maximum 256x1024": lambda: binary(torch.maximum, (256, K)),
    "less 256x1024": lambda: binary(torch.lt, (256, K)),
    "where 256x1024": where,
    "clamp 256x1024": lambda: unary(lambda x: torch.clamp(x, -1, 1), 256, K),
    "square 256x1024": lambda: unary(lambda x: torch.pow(x, 2), 256, K),
    "relu 64": lambda: unary(torch.relu, 64),
    "relu 1024x1024": lambda: unary(torch.relu, K, K),
    "gelu 768x512": lambda: unary(lambda x: F.gelu(x, approximate="tanh"), 768, 512),
    "silu 768x512": lambda: unary(F.silu, 768, 512),
    "exp 64": lambda: unary(torch.exp, 64),
    "exp 1024x1024": lambda: unary(torch.exp, K, K),
    "exp transposed 1024x1024": lambda: unary(torch.exp, K, K, transposed=True),
    "log 256x1024": lambda: unary(torch.log, 256, K),
    "tanh 256x1024": lambda: unary(torch.tanh, 256, K),
    "sigmoid 256x1024": lambda: unary(torch.sigmoid, 256, K),
    "sin 256x1024": lambda: unary(torch.sin, 256, K),
    "erf 256x1024": lambda: unary(torch.erf, 256, K),
    "sqrt 256x1024": lambda: unary(torch.sqrt, 256, K),
    "sum all 64": lambda: unary(torch.sum, 64),
    "sum all 1024x1024": lambda: unary(torch.sum, K, K),
    "sum rows 1024x1024": lambda: unary(lambda x: x.sum(1), K, K),
    "sum columns 1024x1024": lambda: unary(lambda x: x.sum(0), K, K),
    "mean rows 8192x64": lambda: unary(lambda x: x.mean(1), 8192, 64),
    "max rows 1024x1024": lambda: unary(lambda x: x.amax(1), K, K),
    "argmax 1024x1000": lambda: unary(lambda x: x.argmax(1), K, 1000),
    "variance 1024x1024": lambda: unary(lambda x: x.var(1), K, K),
    "logsumexp 1024x1024": lambda: unary(lambda x: x.logsumexp(1), K, K),
    "cumsum 512x1024": lambda: unary(lambda x: x.cumsum(1), 512, K),
    "sort 256x1024": lambda: unary(lambda x: torch.sort(x, 1), 256, K),
    "topk 256x1024": lambda: unary(lambda x: torch.topk(x, 8, 1), 256, K),
    "softmax 32x10": lambda: unary(lambda x: torch.softmax(x, 1), 32, 10),
    "softmax 1024x1024": lambda: unary(lambda x: torch.softmax(x, 1), K, K),
    "log_softmax 768x65": lambda: unary(lambda x: torch.log_softmax(x, 1), 768, 65),
    "layer_norm 768x512": layer_norm,
    "cross_entropy 768x65": cross_entropy,
    "matmul 32x64x64": lambda: binary(torch.matmul, (32, 64), (64, 64)),
    "matmul 512x512x512": lambda: binary(torch.matmul, (512, 512)),
    "matmul transposed 512x512x512": lambda: binary(torch.matmul, (512, 512), transposed=True),
    "matmul batched 48x64x32x64": lambda: binary(torch.matmul, (48, 64, 32), (48, 32, 64)),
    "matmul vector 1024x1024": lambda: binary(torch.matmul, (K, K), (K,)),
    "linear 1x784x1024": lambda: linear(1, 784, 1024),
    "linear 768x128x512": lambda: linear(768, 128, 512),
    "conv2d 1x16x32x32": lambda: conv((1, 16, 32, 32), (16, 16, 3, 3), padding=1),
    "conv2d 16x64x32x32": lambda: conv((16, 64, 32, 32), (128, 64, 3, 3), padding=1),
    "conv2d depthwise 16x64x32x32": lambda: conv((16, 64, 32, 32), (64, 1, 3, 3), padding=1, groups=64),
    "max_pool2d 16x64x32x32": pool,
    "attention 12x4x64x32": lambda: attend(12, 4, 64, 32),
    "attention 4x6x256x64": lambda: attend(4, 6, 256, 64),
    "embedding 768 of 65x128": embedding,
    "gather 1024x1024": gather,
    "concat 2x512x1024": lambda: binary(lambda x, y: torch.cat([x, y], 1), (512, K)),
    "copy transposed 1024x1024": copy_transposed,
    "dropout 768x512": lambda: unary(lambda x: F.dropout(x, 0.1, True), 768, 512),
}


def median_time(call, seconds):
    begin = time.perf_counter()
    call()
    first = time.perf_counter()
    call()
    bundle = int(min(max(20e-6 / max(time.perf_counter() - first, 1e-8), 1), 1000))
    times = []
    while time.perf_counter() - begin < seconds or len(times) < 3:
        start = time.perf_counter()
        for _ in range(bundle):
            call()
        times.append((time.perf_counter() - start) / bundle)
    return 1e6 * statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("worker")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--only", default="")
    parser.add_argument("--markdown")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_grad_enabled(False)

    worker = subprocess.Popen([args.worker, str(args.threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    names = []
    while line := worker.stdout.readline().strip():
        names.append(line)
    if set(names) != set(CASES):
        sys.exit(f"the two lists of cases differ: {sorted(set(names) ^ set(CASES))}")

    rows = []
    wanted = [name for name in names if args.only in name]
    for number, name in enumerate(wanted):
        theirs, ours = [], []
        call = CASES[name]()
        for _ in range(args.rounds):
            theirs.append(median_time(call, args.seconds))
            worker.stdin.write(f"{name} {args.seconds}\n")
            worker.stdin.flush()
            ours.append(float(worker.stdout.readline()))
        ratios = sorted(a / b for a, b in zip(theirs, ours))
        rows.append((name, statistics.median(theirs), statistics.median(ours), statistics.median(ratios), ratios[0], ratios[-1]))
        print(f"{number + 1:3}/{len(wanted)}  {name:32} PyTorch {rows[-1][1]:9.1f}  ours {rows[-1][2]:9.1f}  "
              f"ratio {rows[-1][3]:5.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})", flush=True)
    worker.stdin.close()
    mean = math.exp(statistics.fmean(math.log(row[3]) for row in rows))
    worst = min(rows, key=lambda row: row[3])
    print(f"geometric mean {mean:.2f}; the least is {worst[3]:.2f}, {worst[0]}")
    if args.markdown:
        with open(args.markdown, "w") as out:
            print("| operation, shape | PyTorch, us | ours, us | ratio (lowest to highest round) |", file=out)
            print("| --- | ---: | ---: | ---: |", file=out)
            for name, theirs, ours, ratio, low, high in rows:
                print(f"| {name} | {theirs:.1f} | {ours:.1f} | {ratio:.2f} ({low:.2f} to {high:.2f}) |", file=out)
            print(f"\nGeometric mean {mean:.2f}; the least is {worst[3]:.2f} ({worst[0]}).", file=out)


if __name__ == "__main__":
    main()
