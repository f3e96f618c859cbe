#!/usr/bin/env python3
"""Compiles the same conversions between register layouts, and reductions, with Triton and with us.

Usage: benchmark/layout/compare_triton.py [--build=DIR] [--cases=FILE] [--only=REGEX]
                                          [--output=FILE] [--keep=DIR] [--loops=DIR]

Needs Triton (`pip install triton==3.6.0 numpy`) in the Python that runs it, no GPU.
Writes Markdown: instructions of each conversion side by side. With --loops it makes
binaries instead, of loops of conversions, which `side_by_side/hardware.py DIR` runs on a
GPU (it needs Python and the driver only) and times.
"""

import argparse
import os
import re
import sys

try:
    import numpy  # noqa: F401 (needed below)
    import triton  # noqa: F401 (needed below)
except ImportError as error:
    sys.exit(f"compare_triton: {error}; it needs `pip install triton==3.6.0 numpy` (tested with that version)")

from side_by_side import catalogue, report
from side_by_side.comparison import Comparison

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="folder of the build")
    parser.add_argument("--cases", default=os.path.join(ROOT, "test", "Layout", "Inputs", "convert_cases.jsonl"),
                        help="recorded conversions, JSON lines")
    parser.add_argument("--only", default="", help="cases whose name has a match")
    parser.add_argument("--keep", help="folder for the code of all kernels")
    parser.add_argument("--output", help="file for the result, standard output without")
    parser.add_argument("--loops", help="folder for binaries of loops of conversions")
    arguments = parser.parse_args()
    comparison = Comparison(arguments.build)
    cases = list(catalogue.recorded(arguments.cases)) + list(catalogue.catalogue()) + list(catalogue.reductions())
    cases += catalogue.products()
    cases = [case for case in cases if re.search(arguments.only, case.name)]
    catalogue.complete(cases, comparison.mirage.tool("mirage-layout"))
    if arguments.loops:
        return comparison.loops(cases, arguments.loops)
    results = comparison.run(cases, arguments.keep)
    text = report.markdown(results, comparison, f" --only={arguments.only}" if arguments.only else "")
    if arguments.output:
        with open(arguments.output, "w") as file:
            file.write(text)
    else:
        print(text, end="")
    return 1 if any(result.is_wrong for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
