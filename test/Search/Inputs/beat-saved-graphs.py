"""Compares what our winner is predicted to take with each saved graph of the same program
that is equivalent: both as they stand in the dialect, by --mugraph-bound-time.

Usage: beat-saved-graphs.py CLAIMS FILE.json...

CLAIMS is claims.py, which reads the saved graphs.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys


def load(path):
    specification = importlib.util.spec_from_file_location("claims", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def bounds(text):
    """The predictions for all functions of a module, in their order."""
    command = ["mirage-opt", "-", "--mugraph-bound-time", "-o", os.devnull]
    answer = subprocess.run(command, input=text, text=True, check=True, stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in answer.splitlines()]


def search(program):
    command = ["mirage-opt", "-", "--mugraph-superoptimize=time-budget=1000"]
    return subprocess.run(command, input=program, text=True, check=True, stdout=subprocess.PIPE).stdout


def compare(claims, path):
    graphs = [(graph, program) for graph, program, equivalent, _ in claims.read(path) if equivalent]
    winner = bounds(search(graphs[0][1]))[0]
    assert winner["counted"] == winner["kernels"], "the winner cannot be lowered"
    # One call for all graphs of a file.
    saved = bounds("".join(claims.translate(graph, f"g{number}") for number, (graph, _) in enumerate(graphs)))
    times = [bound["least_us"] for bound in saved if bound["least_us"] is not None]
    ours, best = winner["least_us"], min(times, default=float("inf"))
    beaten = sum(ours <= time for time in times)
    print(f"{os.path.basename(path)}: ours {ours:.3f} us, the best of {len(times)} saved ones that fit {best:.3f} us, "
          f"{beaten} no faster: {'ok' if ours <= best else 'SLOWER'}")


def main():
    claims = load(sys.argv[1])
    for path in sys.argv[2:]:
        compare(claims, path)


main()
