#!/usr/bin/env python3
"""Times the search: how long a verified winner takes, and how the work grows.

Usage: benchmark/search/search.py [--build=DIR] [--target=sm_90a] [--output=FILE]
                                  [--tables=winners,growth] [--budget=60]

Prints Markdown. Seconds are those of the whole mirage-opt call, `cpu` is its user and
system time: on a machine that does other work too, that is the figure to compare.
`--budget` is the most seconds of a search in the tables of growth.
"""

import argparse
import datetime
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def example(name):
    with open(os.path.join(ROOT, "examples", name + ".mlir")) as file:
        return file.read()


def resized(text, *changes):
    for pattern, replacement in changes:
        text = re.sub(pattern, replacement, text)
    return text


def programs():
    """Name and text of each program, at the shapes of the models that it is from."""
    for name in ("rmsnorm_linear", "layernorm_linear"):
        for batch in (1, 8, 16):
            yield f"{name}, {batch} rows", resized(example(name), ("<16x", f"<{batch}x"))
    yield "lora 256", example("lora")
    yield "lora 4096", resized(example("lora"), ("256", "4096"))
    for name in ("gated_mlp", "gated_mlp_block", "moe"):
        yield f"{name}, 8 rows", example(name)
    yield "gated_mlp_block, 1 row", resized(example("gated_mlp_block"), ("<8x", "<1x"))
    yield "mlp, 16 rows", example("mlp")
    yield "norm_residual", example("norm_residual")
    yield "softmax 16x32768", example("softmax")
    for batch in (2, 16):
        yield f"attention, {batch} heads of 256 rows", resized(example("softmax_matmul"), ("<2x", f"<{batch}x"))
    yield "attention with masks", example("attention_masked")
    yield "attention with norms", example("qknorm_attention")
    for batch in (1, 8, 16):
        for keys in (4096, 8192):
            yield (f"decoding, batch {batch}, {keys} keys",
                   resized(example("attention_decode"), ("<8x", f"<{8 * batch}x"), ("4096", str(keys))))
    for heads in (16, 128):
        yield f"latent attention, {heads} heads", resized(example("mla_decode"), ("<16x", f"<{heads}x"))
    yield "transformer layer", example("transformer_layer")


def chain(blocks):
    """Blocks of norm, linear layer and activation, one after the other."""
    tensor, weight = "tensor<16x1024xf16>", "tensor<1024x1024xf16>"
    arguments = ", ".join([f"%x0: {tensor}"] + [f"%w{i}: {weight}" for i in range(blocks)])
    lines = [f"func.func @chain({arguments}) -> {tensor} {{"]
    for i in range(blocks):
        lines += [f"  %n{i} = mugraph.rms_norm %x{i} : {tensor}",
                  f"  %m{i} = mugraph.matmul %n{i}, %w{i} : ({tensor}, {weight}) -> {tensor}",
                  f"  %x{i + 1} = mugraph.silu %m{i} : {tensor}"]
    return "\n".join(lines + [f"  return %x{blocks} : {tensor}", "}"])


class Search:
    """One call of mirage-opt."""

    def __init__(self, text, arguments, options=""):
        with tempfile.TemporaryDirectory() as folder:
            source, report = os.path.join(folder, "in.mlir"), os.path.join(folder, "report.json")
            with open(source, "w") as file:
                file.write(text)
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            subprocess.run([os.path.join(arguments.build, "bin", "mirage-opt"), source, "-o", os.devnull,
                            f"--mugraph-superoptimize=target={arguments.target} report={report} {options}"],
                           check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.seconds = time.monotonic() - start
            self.cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
            self.mebibytes = after.ru_maxrss / 1024  # the largest call so far
            with open(report) as file:
                self.report = json.loads(file.readline())
            self.is_complete = self.report["exhaustive"]


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def winners(arguments):
    rows, seconds, cpu, memory = [], [], [], 0
    for name, text in programs():
        for element in ("f16", "bf16"):
            search = Search(text.replace("xf16", f"x{element}"), arguments)
            report, winner = search.report, search.report["winner"]
            rows.append([f"{name}, {element}", f"{report['input']['kernels']} → {winner['kernels']}",
                         winner["verification"]["status"],
                         f"{report['input']['predicted_us']:.1f} → {winner['predicted_us']:.1f}",
                         f"{report['optimality_gap']:.2f}", f"{search.seconds:.2f}", f"{search.cpu:.2f}"])
            seconds.append(search.seconds)
            cpu.append(search.cpu)
            memory = max(memory, search.mebibytes)
    heads = ["program", "kernels", "status", "predicted us", "gap", "seconds", "cpu"]
    return table(heads, rows) + [
        "", f"Median {statistics.median(seconds):.2f} s (cpu {statistics.median(cpu):.2f}), slowest "
            f"{max(seconds):.2f} s (cpu {max(cpu):.2f}), at most {memory:.0f} MiB."]


def growing():
    """Chains of growing length, and each program at one shape."""
    for blocks in (1, 2, 4, 8):
        yield f"chain of {blocks}", chain(blocks)
    seen = set()
    for name, text in programs():
        kind = re.split("[ ,]", name)[0] if "attention" not in name else re.sub(",.*", "", name)
        if kind not in seen:
            seen.add(kind)
            yield name, text


def cpu_of(search):
    """With a mark where time ended the search."""
    return f"{search.cpu:.2f}" + ("" if search.is_complete else " *")


def growth(arguments):
    rows = []
    for name, text in growing():
        def run(options):
            return Search(text, arguments, f"time-budget={arguments.budget} {options}")
        one, two = run("threads=1"), run("threads=2")
        full, all_values = run("threads=1 bounds=0"), run("threads=1 usefulness=0")
        report = one.report
        rows.append([name, report["values"], report["derivations"], report["states"],
                     cpu_of(one), cpu_of(two),
                     full.report["states"], cpu_of(full), f"{full.report['optimality_gap']:.2f}",
                     f"{full.report['winner']['predicted_us'] / report['winner']['predicted_us'] - 1:+.1%}",
                     all_values.report["values"], all_values.report["derivations"], cpu_of(all_values)])
    heads = ["program", "values", "derivations", "states", "cpu", "2 threads",
             "no bounds: states", "cpu", "gap", "winner", "all values: values", "derivations", "cpu"]
    return table(heads, rows) + [
        "", f"At most {arguments.budget:g} s for each search (*: stopped by that, or by a limit on choices); `cpu` is of the "
            "whole call, with lowering and proof."]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="folder of the build")
    parser.add_argument("--target", default="sm_90a")
    parser.add_argument("--output", help="file for the result, standard output without")
    parser.add_argument("--tables", default="winners,growth", help="what is measured")
    parser.add_argument("--budget", type=float, default=60, help="seconds of each search in the table of growth")
    arguments = parser.parse_args()
    lines = ["# Time of the search", "",
             f"{datetime.date.today()}, {arguments.target}, {os.cpu_count()} cores ({platform.machine()}), no GPU; "
             f"load average at the start {os.getloadavg()[0]:.1f}. `benchmark/search/search.py "
             f"--tables={arguments.tables} --budget={arguments.budget:g}`."]
    if "winners" in arguments.tables:
        lines += ["", "## Programs", ""] + winners(arguments)
    if "growth" in arguments.tables:
        lines += ["", "## How the work grows", "",
                  "A chain has blocks of norm, linear layer and activation. Without bounds all choices of derivations",
                  "are priced (`winner`: its predicted time beside that with bounds); with all values, useless ones are",
                  "kept too."]
        lines += [""] + growth(arguments)
    text = "\n".join(lines) + "\n"
    if arguments.output:
        with open(arguments.output, "w") as file:
            file.write(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
