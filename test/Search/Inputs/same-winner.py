"""Searches programs with 1 and 2 threads and three seeds each: the winners, and what the
reports count, have to be the same byte for byte.

Usage: same-winner.py FOLDER PROGRAM...
"""

import json
import os
import subprocess
import sys


def search(program, folder, threads, seed):
    report = os.path.join(folder, "report.json")
    winner = subprocess.run(
        ["mirage-opt", program, f"--mugraph-superoptimize=threads={threads} seed={seed} "
                                f"time-budget=1000 report={report}"],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    with open(report) as file:
        counts = json.load(file)
    del counts["seconds"], counts["threads"], counts["winner"]["verification"]
    return winner, counts


def main():
    folder, programs = sys.argv[1], sys.argv[2:]
    for program in programs:
        name = os.path.basename(program)
        first = search(program, folder, 1, 1)
        assert "block_graph" in first[0], f"{name} has no kernel"
        for threads, seed in ((2, 1), (1, 2), (2, 2), (2, 18446744073709551615)):
            same = search(program, folder, threads, seed) == first
            print(f"{name}, threads={threads} seed={seed}: {'same' if same else 'DIFFERENT'}")


main()
