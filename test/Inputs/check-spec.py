#!/usr/bin/env python3
"""Checks what a specification says of tests and constraints.

check-spec.py SPEC.md SOURCE_DIR

Every test that it names (`Suite.Case`) exists; every theorem is numbered once
and in order; every constraint label has a verifier and a test that breaks it.
"""

import pathlib
import re
import sys


def read_all(folder, suffixes):
    return "\n".join(path.read_text() for path in sorted(folder.rglob("*")) if path.suffix in suffixes)


def main(spec, source):
    text = pathlib.Path(spec).read_text()
    root = pathlib.Path(source)
    problems = []

    cases = set(re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", read_all(root / "test/unit", {".cpp"}), re.M))
    named = re.findall(r"`(\w+)\.([A-Z]\w+)`", text)
    problems += [f"no test {suite}.{case}" for suite, case in named if (suite, case) not in cases]

    theorems = [int(number) for number in re.findall(r"\*\*\w+_t(\d+)\*\*", text)]
    if theorems != list(range(1, len(theorems) + 1)):
        problems.append(f"theorems are numbered {theorems}")

    code = read_all(root / "lib", {".cpp"}) + read_all(root / "include", {".td"})
    tests = read_all(root / "test/Dialect", {".mlir"})
    for label in sorted(set(re.findall(r"\w+_c\d+", text))):
        if not re.search(label + r"\b", code):
            problems.append(f"no verifier of {label}")
        if not re.search(label + r"\b", tests):
            problems.append(f"no test of {label}")

    print(f"{len(named)} tests, {len(theorems)} theorems")
    sys.exit("\n".join(problems) or 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
