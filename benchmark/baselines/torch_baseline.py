#!/usr/bin/env python3
"""Times programs in PyTorch the way benchmark/gpu.sh times the kernels found for them.

Usage: benchmark/baselines/torch_baseline.py [--repeat=100] [--warm] [--compile]
                                             [--compare=RESULTS.json] PROGRAM.mlir...

Prints a Markdown table: microseconds of each program run op by op (`eager`) and, with
--compile, through torch.compile, both captured in a CUDA graph so that the host does not
count. The L2 cache is overwritten before each run unless --warm is given; a time is the
median of the repeats between two events. With --compare, the results of
benchmark/gpu.sh stand beside it, and the ratios.

Needs PyTorch with CUDA; the inputs are uniform in [-0.5, 0.5).
"""

import argparse
import json
import os
import re
import statistics
import sys

import torch
import torch.nn.functional as F

TYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}
FLUSH_BYTES = 512 << 20


def tensor_type(text):
    """Shape and type of "tensor<16x64xf16>"."""
    *shape, kind = re.match(r"\s*tensor<([^>]*)>", text).group(1).split("x")
    return [int(size) for size in shape], TYPES[kind]


class Program:
    """The public function of a file of mugraph operations, as calls of PyTorch.

    Only the operations of the examples are known; another is an error that names it."""

    def __init__(self, path):
        self.name = os.path.splitext(os.path.basename(path))[0]
        with open(path) as file:
            text = re.sub(r"//[^\n]*", "", file.read())
        head, body = re.search(r"func\.func @\w+\((.*?)\)\s*->.*?\{(.*)\}", text, re.S).groups()
        self.arguments = [
            (name, *tensor_type(kind)) for name, kind in re.findall(r"(%\w+)\s*:\s*(tensor<[^>]*>)", head)
        ]
        self.steps = []
        for result, op, rest in re.findall(r"(%\w+) = mugraph\.(\w+)(.*?)(?=%\w+ = mugraph|return)", body, re.S):
            self.steps.append((result, self.step(op, rest), re.findall(r"%\w+", rest)))
        self.results = re.findall(r"%\w+", re.search(r"return(.*?):", body, re.S).group(1))

    @staticmethod
    def step(op, rest):
        numbers = lambda key: [int(n) for n in re.search(key + r"\s*=\s*\[?([\d, ]*)", rest).group(1).split(",")]
        real = lambda key, default: float(m.group(1)) if (m := re.search(key + r"\s*([-\d.e]+)", rest)) else default
        eps = real(r"eps\s*=", 0.0)
        if op == "reshape":
            shape, _ = tensor_type(rest.split("->")[1])
            return lambda x: x.reshape(shape)
        if op == "transpose":
            order = numbers("perm")
            return lambda x: x.permute(order)
        if op == "softmax":
            dim = numbers("dim")[0]
            return lambda x: torch.softmax(x, dim)
        if op == "mul_scalar":
            factor = real(r"%\w+,", None)
            return lambda x: x * factor
        known = {
            "add": torch.add,
            "mul": torch.mul,
            "matmul": torch.matmul,
            "silu": F.silu,
            "relu": F.relu,
            "rms_norm": lambda x, *g: F.rms_norm(x, x.shape[-1:], *g, eps=eps),
            "layer_norm": lambda x, *g: F.layer_norm(x, x.shape[-1:], *g, eps=eps),
        }
        if op not in known:
            sys.exit(f"torch_baseline: no mugraph.{op} here; known are {', '.join(sorted(known))}")
        return known[op]

    def inputs(self):
        torch.manual_seed(0)
        return [torch.rand(shape, device="cuda").sub(0.5).to(kind) for _, shape, kind in self.arguments]

    def __call__(self, *inputs):
        values = dict(zip((name for name, *_ in self.arguments), inputs))
        for result, function, operands in self.steps:
            values[result] = function(*(values[name] for name in operands))
        return tuple(values[name] for name in self.results)


class Clock:
    def __init__(self, repeat, warm):
        self.repeat = repeat
        self.flush = None if warm else torch.empty(FLUSH_BYTES, dtype=torch.uint8, device="cuda")

    def microseconds(self, function, inputs):
        """Median over replays of the captured function."""
        stream = torch.cuda.Stream()
        with torch.no_grad(), torch.cuda.stream(stream):
            for _ in range(3):
                function(*inputs)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.no_grad(), torch.cuda.graph(graph):
            function(*inputs)
        times = []
        for _ in range(self.repeat):
            if self.flush is not None:
                self.flush.fill_(0)
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            graph.replay()
            end.record()
            end.synchronize()
            times.append(1000.0 * start.elapsed_time(end))
        return statistics.median(times)


def found_times(path, warm):
    """Microseconds by program, from the JSON of benchmark/gpu.sh."""
    if not path:
        return {}
    with open(path) as file:
        runs = json.load(file)["runs"]
    return {
        os.path.splitext(run["program"])[0]: run["report"]["us"]
        for run in runs
        if run["l2"] == ("warm" if warm else "cold") and isinstance(run["report"], dict)
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+", metavar="PROGRAM.mlir")
    parser.add_argument("--repeat", type=int, default=100, help="runs a program (default: 100)")
    parser.add_argument("--warm", action="store_true", help="leave the L2 cache as it is")
    parser.add_argument("--compile", action="store_true", help="also time torch.compile")
    parser.add_argument("--compare", metavar="RESULTS.json", help="results of benchmark/gpu.sh")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("torch_baseline: PyTorch finds no CUDA device")
    clock = Clock(options.repeat, options.warm)
    found = found_times(options.compare, options.warm)
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, {'warm' if options.warm else 'cold'} L2, us\n")
    print("| program | found | eager | compile | best of PyTorch / found |")
    print("| --- | --- | --- | --- | --- |")
    show = lambda time: f"{time:.1f}" if time is not None else ""
    for path in options.programs:
        program = Program(path)
        inputs = program.inputs()
        times = [clock.microseconds(program, inputs), None]
        if options.compile:
            torch._dynamo.reset()
            times[1] = clock.microseconds(torch.compile(program.__call__), inputs)
        ours = found.get(program.name)
        ratio = f"{min(t for t in times if t is not None) / ours:.2f}" if ours else ""
        print("|", " | ".join([program.name, show(ours), *map(show, times), ratio]), "|", flush=True)


if __name__ == "__main__":
    main()
