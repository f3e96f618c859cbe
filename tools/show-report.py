#!/usr/bin/env python3
"""Prints what a search found, from the JSON of --mugraph-superoptimize=report=FILE."""

import json
import math
import sys


def show(report):
    print(f"@{report['function']}: {report['derivations']} derivations of {report['values']} useful values, "
          f"{report['states']} states, {report['seconds']:.2f} s on {report['threads']} threads")
    given, winner = report["input"], report["winner"]
    print(f"  as written: {given['kernels']} kernels, predicted {given['predicted_us']:.2f} us")
    print(f"  winner:     {winner['kernels']} kernels, predicted {winner['predicted_us']:.2f} us, "
          f"{winner['global_bytes'] / 1e6:.2f} MB through global memory")
    for block in winner["blocks"]:
        print(f"    grid {block['grid']}, {block['threads']} threads, loop {block['loop']}, "
              f"{block['shared_bytes']} bytes of shared memory")
    verification = winner["verification"]
    bound = verification.get("error_log2")
    print(f"  verification: {verification['status']}"
          + (f", wrong with probability at most 2^{math.ceil(bound)}" if bound is not None else ""))


def read_values(text):
    """The JSON values in `text`, one after the other; an array counts as its elements."""
    decoder, values = json.JSONDecoder(), []
    text = text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        values += value if isinstance(value, list) else [value]
        text = text[end:].lstrip()
    return values


def main(path):
    with open(path) as file:
        for report in read_values(file.read()):
            show(report)


if __name__ == "__main__":
    main(sys.argv[1])
