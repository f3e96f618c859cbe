#!/usr/bin/env python3
"""exits.py STATUS COMMAND...: runs the command; fails unless it ends with
STATUS and, for status 2, prints exactly one line with "error" on stderr."""

import subprocess
import sys

expected, command = int(sys.argv[1]), sys.argv[2:]
process = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
sys.stderr.write(process.stderr)
errors = [line for line in process.stderr.splitlines() if "error:" in line]
if process.returncode != expected:
    sys.exit(f"exits.py: expected exit status {expected}, got {process.returncode}")
if expected == 2 and len(errors) != 1:
    sys.exit(f"exits.py: expected one error, got {len(errors)}")
