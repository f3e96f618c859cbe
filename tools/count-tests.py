#!/usr/bin/env python3
"""Sums up a test run. Usage: count-tests.py RESULTS.json CASES_DIR FORMAT_STATUS

RESULTS.json is lit's --output, CASES_DIR holds one GoogleTest XML a binary that
ran under lit, FORMAT_STATUS is the exit status of the check of the formatting.
"""

import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

FAILURES = {"FAIL", "XPASS", "TIMEOUT", "UNRESOLVED"}


def main(results, cases_dir, format_status):
    path = pathlib.Path(results)
    tests = json.loads(path.read_text())["tests"] if path.exists() else []
    codes = [test["code"] for test in tests]
    failed = sum(code in FAILURES for code in codes)
    passed = sum(code in ("PASS", "XFAIL", "FLAKYPASS") for code in codes)
    if not tests:
        print("lit ran no tests")
        failed += 1
    # The cases of a binary take the place of the lit test that ran it.
    for report in sorted(pathlib.Path(cases_dir).glob("*.xml")):
        root = ElementTree.parse(report).getroot()
        bad = int(root.get("failures", 0)) + int(root.get("errors", 0))
        skipped = int(root.get("disabled", 0)) + int(root.get("skipped", 0))
        failed += bad - (1 if bad else 0)
        passed += int(root.get("tests", 0)) - bad - skipped - (0 if bad else 1)
    if format_status == "0":
        passed += 1
    else:
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
