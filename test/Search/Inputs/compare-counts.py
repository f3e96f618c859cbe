"""compare-counts.py PROGRAM ENTRY TARGET PREFIX

Searches PROGRAM and runs what was found on the simulator: what the search says of each
kernel of the winner has to be what the simulator counted. Files are named PREFIX.*.
"""

import json
import subprocess
import sys


def main():
    program, entry, target, prefix = sys.argv[1:]
    search, winner, run = (f"{prefix}.{name}" for name in ("search.json", "winner.mlir", "run.json"))
    options = f"target={target} report={search}"
    subprocess.run(
        ["mirage-opt", program, f"--mugraph-superoptimize={options}", "-o", winner], check=True
    )
    subprocess.run(
        ["mirage-run", winner, f"--entry={entry}", f"--target={target}", f"--report={run}"], check=True
    )
    blocks = json.load(open(search))["winner"]["blocks"]
    kernels = json.load(open(run))["kernels"]
    assert len(blocks) == len(kernels), "not one prediction for each kernel"
    for number, (block, kernel) in enumerate(zip(blocks, kernels)):
        assert block["grid"] == kernel["grid"], (number, block["grid"], kernel["grid"])
        expected, got = block["counts"], kernel["counters"]
        assert len(expected) == 7, expected
        for name, count in expected.items():
            assert count == got[name], (number, name, count, got[name])


main()
