#!/usr/bin/env python3
"""Times the verification of what the search finds, at full size.

Usage: benchmark/verify/verify.py [--build=DIR] [--target=sm_90a] [--mutants=N] [--output=FILE]

Prints Markdown. Seconds are processor time (user and system) of a whole mirage-opt call,
with the start of the process and the reading of the program: `verify` makes random tests,
looks for a proof and writes its certificate, `check` checks the certificate.
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
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "benchmark", "search"))

from search import programs, table  # noqa: E402


def timed(*command, **options):
    """Processor seconds of a command, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, process.stdout


def verified(text, arguments):
    """The report on the winner of a program, the seconds, and the size of the certificate."""
    opt = os.path.join(arguments.build, "bin", "mirage-opt")
    with tempfile.TemporaryDirectory() as folder:
        source, winner, proofs = (os.path.join(folder, name) for name in ("in.mlir", "winner.mlir", "proofs.json"))
        with open(source, "w") as file:
            file.write(text)
        timed(opt, source, f"--mugraph-superoptimize=target={arguments.target}", "-o", winner)
        verify, report = timed(opt, winner, f"--mugraph-verify=report=- certificate={proofs}", "-o", os.devnull)
        check, _ = timed(opt, winner, f"--mugraph-check-certificate=certificate={proofs}", "-o", os.devnull)
        return json.loads(report.splitlines()[0])["verification"], verify, check, os.path.getsize(proofs)


def sizes(report):
    """The dims whose size does not matter, as `0.1 = 2.0` for those that must be equal."""
    return ", ".join(" = ".join("{argument}.{dim}".format(**dim) for dim in dims) for dims in report.get("any_size", []))


def winners(arguments):
    rows, seconds = [], []
    for name, text in programs():
        report, verify, check, size = verified(text, arguments)
        bound = report["error_log2"]
        rows.append([name, report["status"], report["tests"], "" if bound is None else f"2^{bound:.0f}",
                     sizes(report), f"{verify:.2f}", f"{check:.2f}", f"{size / 1024:.1f}"])
        seconds.append(verify)
    heads = ["program", "status", "tests", "bound", "any size of", "verify s", "check s", "certificate KiB"]
    return table(heads, rows) + ["", f"Median {statistics.median(seconds):.2f} s, slowest {max(seconds):.2f} s. "
                                     "(`0.1` is dim 1 of argument 0.)"]


def mutants(arguments):
    seconds, output = timed(os.path.join(arguments.build, "unit", "GeneratedMutantTests"),
                            env=dict(os.environ, MIRAGE_MUTANTS=str(arguments.mutants)))
    tally = re.search(r"^seed \d+: .*$", output, flags=re.M).group(0)
    return [f"`MIRAGE_MUTANTS={arguments.mutants} build/unit/GeneratedMutantTests`, {seconds:.0f} s: {tally}. "
            "None of the wrong ones was accepted, proved without tests, or certified by the certificate of the "
            "kernel that it was made of; the test fails otherwise."]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="folder of the build")
    parser.add_argument("--target", default="sm_90a")
    parser.add_argument("--mutants", type=int, default=10000, help="0: none")
    parser.add_argument("--output", help="file for the result, standard output without")
    arguments = parser.parse_args()
    lines = ["# Verification", "",
             f"{datetime.date.today()}, {arguments.target}, {os.cpu_count()} cores ({platform.machine()}), no GPU; "
             f"load average at the start {os.getloadavg()[0]:.1f}.", "", "## Winners of the search", ""]
    lines += winners(arguments)
    if arguments.mutants:
        lines += ["", "## Generated mutants of winners", ""] + mutants(arguments)
    text = "\n".join(lines) + "\n"
    if arguments.output:
        with open(arguments.output, "w") as file:
            file.write(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
