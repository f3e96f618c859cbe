"""compare-counts.py SEARCH_REPORT RUN_REPORT [small]

Compares what the search predicts of each kernel with what the simulator counted:
matrix instructions and stored bytes have to be equal, loaded bytes too, but with
`small` only roughly: whether threads load twice what is less than all of them load at
once is up to the layouts.
"""

import json
import sys


def main():
    search, run = (json.loads(open(name).read()) for name in sys.argv[1:3])
    is_small = "small" in sys.argv[3:]
    blocks = search["winner"]["blocks"]
    assert len(blocks) == len(run["kernels"]), "not one prediction for each kernel"
    for number, (block, kernel) in enumerate(zip(blocks, run["kernels"])):
        expected, got = block["counts"], kernel["counters"]
        assert block["grid"] == kernel["grid"], (number, block["grid"], kernel["grid"])
        for name in ("mma", "global_store_bytes"):
            assert expected[name] == got[name], (number, name, expected[name], got[name])
        name = "global_load_bytes"
        ratio = got[name] / expected[name]
        fits = 0.9 <= ratio <= 2 if is_small else ratio == 1
        assert fits, (number, name, expected[name], got[name])


main()
