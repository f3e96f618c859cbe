#!/usr/bin/env python3
"""proofs.py FILE...: searches each program for kernels, proves the winners at full size
as whole programs and checks the certificates of the proofs. Status 1 if one fails;
mirage-opt is taken from PATH."""

import json
import os
import subprocess
import sys
import tempfile


def run(*arguments):
    subprocess.run(["mirage-opt", *arguments], check=True)


def main(paths):
    proved = 0
    with tempfile.TemporaryDirectory() as folder:
        winner, proofs, report = (os.path.join(folder, name) for name in ("winner.mlir", "proofs.json", "report.json"))
        for path in paths:
            run(path, "--mugraph-superoptimize", "-o", winner)
            run(winner, f"--mugraph-verify=proof=require certificate={proofs} report={report}", "-o", os.devnull)
            run(winner, f"--mugraph-check-certificate=certificate={proofs}", "-o", os.devnull)
            with open(report) as lines:
                proved += all(json.loads(line)["verification"]["status"] == "proved" for line in lines)
    print(f"{proved} of {len(paths)} programs with a proof that was checked")
    return proved != len(paths)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
