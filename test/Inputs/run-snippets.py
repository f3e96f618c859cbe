#!/usr/bin/env python3
"""Runs the commands of a Markdown file: every line of its `sh` blocks.

run-snippets.py FILE.md SOURCE_DIR BUILD_DIR

The file's `mlir` and `json` blocks are written under the names that the text
gives them (`NAME.mlir`, `NAME.json`), and examples are run at a reduced size, so
that it takes seconds. A `text` block right behind commands is what they print;
a line `...` stands for any number of lines.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

# Commands that would build or test everything: only that they exist and parse.
SCRIPTS = re.compile(r"^tools/(build|test|check-format)\.sh.*")
SMALLER = [("4096", "256"), ("6144", "192")]


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def check_output(printed, shown):
    """Fails unless `shown` is what was printed, `...` aside."""
    parts = [re.escape(part) for part in re.split(r"^\.\.\.\n", shown, flags=re.M)]
    if not re.fullmatch(r"(?:.*\n)*?".join(parts), printed):
        sys.exit(f"shown:\n{shown}printed:\n{printed}")


def make_tree(source, build):
    """A small checkout in the current folder: the same names, reduced examples."""
    os.symlink(build, "build")
    os.symlink(source / "tools", "tools")
    os.mkdir("examples")
    for example in (source / "examples").glob("*.mlir"):
        text = example.read_text()
        for large, small in SMALLER:
            text = text.replace(large, small)
        pathlib.Path("examples", example.name).write_text(text)


def command_line(line):
    if SCRIPTS.match(line):
        return line.split()[0] + " --help"
    return line.replace("tools/demo.sh", "tools/demo.sh --build=build examples/rmsnorm_linear.mlir")


def main(markdown, source, build):
    text = pathlib.Path(markdown).read_text()
    make_tree(pathlib.Path(source), pathlib.Path(build))
    for language in ("mlir", "json"):
        names = re.findall(rf"[Ss]ave this as `(\w+\.{language})`", text)
        for name, program in zip(names, blocks(text, language)):
            pathlib.Path(name).write_text(program)
    snippets = re.findall(r"^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", text, re.M | re.S)
    if not snippets:
        sys.exit(f"{markdown} has no commands")
    environment = dict(os.environ, MIRAGE_SKIP_BUILD="1")
    for commands, shown in snippets:
        printed = "".join(run(line, environment) for line in commands.splitlines() if line.strip())
        if shown:
            check_output(printed, shown)


def run(line, environment):
    print("$", command_line(line), flush=True)
    shell = ["bash", "-euo", "pipefail", "-c", command_line(line)]
    printed = subprocess.run(shell, check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout
    print(printed, end="", flush=True)
    return printed


if __name__ == "__main__":
    shutil.rmtree("snippets", ignore_errors=True)
    os.mkdir("snippets")
    os.chdir("snippets")
    main(*sys.argv[1:])
