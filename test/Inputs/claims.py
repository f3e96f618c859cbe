#!/usr/bin/env python3
"""Saved graphs of CMU Mirage as claims that mirage-opt --mugraph-verify checks.

claims.py print FILE N     graph N of FILE.json, or mutant N of FILE.jsonl, with its
                           program, as one module in the mugraph dialect
claims.py check FILE...    verifies all of them and checks the certificates of their
                           proofs; the last line counts. Status 1 if a verdict is
                           wrong, an equivalent graph in twenty has no proof, or a
                           certificate is refused

Formats: FILE.json is a list of graphs, with labels.json (per file the verdicts) and
specs.json (per file the program, `mlir`) beside it. A line of FILE.jsonl has `graph`,
`mlir` (the program that it claims to be), `equivalent` and what was changed: `kind`,
`where`. mirage-translate and mirage-opt are taken from PATH."""

import json
import os
import re
import subprocess
import sys
import tempfile


def translate(graph, name):
    """The function of a saved graph, as @name."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(graph, file)
        file.flush()
        command = ["mirage-translate", "--mirage-json-to-mugraph", file.name]
        process = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if process.returncode != 0:
        sys.exit(f"claims.py: {name} cannot be imported")
    body = re.sub(r"\A\s*module \{\n(.*)\}\s*\Z", r"\1", process.stdout, flags=re.S)
    return body.replace("@graph(", f"@{name}(")


def claim(graph, program, name):
    """A module text in which @name claims to implement its program."""
    function = re.search(r"func\.func @(\w+)\(", program).group(1)
    spec = program.replace(f"func.func @{function}(", f"func.func private @{name}.spec(")
    text = translate(graph, name)
    head, rest = text.split(" {\n", 1)
    return f"{spec}{head} attributes {{mugraph.implements = @{name}.spec}} {{\n{rest}"


def read(path):
    """(graph, program, equivalent, what) for each claim in a file."""
    folder, file = os.path.split(path)
    if path.endswith(".jsonl"):
        with open(path) as lines:
            for mutant in map(json.loads, lines):
                what = "{id} ({kind}, {where})".format(**mutant)
                yield mutant["graph"], mutant["mlir"], mutant["equivalent"], what
        return
    stem = file.removesuffix(".json")
    graphs, labels, specs = (json.load(open(os.path.join(folder, name))) for name in (file, "labels.json", "specs.json"))
    for number, (graph, label) in enumerate(zip(graphs, labels[stem]["labels"], strict=True)):
        yield graph, specs[stem]["mlir"], label["equivalent"], f"{file} #{number}"


def verify(module):
    """The reports of --mugraph-verify, and the names of the functions whose proofs
    --mugraph-check-certificate accepts."""
    with tempfile.TemporaryDirectory() as folder:
        report, proofs = (os.path.join(folder, name) for name in ("report.json", "proofs.json"))
        command = ["mirage-opt", f"--mugraph-verify=report={report} certificate={proofs}", "-o", "/dev/null"]
        process = subprocess.run(command, input=module, text=True, stderr=subprocess.PIPE)
        if not os.path.exists(report):
            sys.exit(f"claims.py: no report\n{process.stderr}")
        command = ["mirage-opt", f"--mugraph-check-certificate=certificate={proofs}", "-o", "/dev/null"]
        process = subprocess.run(command, input=module, text=True, stderr=subprocess.PIPE)
        refused = set(re.findall(r"does not prove that @(\w+)", process.stderr))
        with open(report) as lines, open(proofs) as certificates:
            names = {json.loads(line)["function"] for line in certificates}
            return [json.loads(line) for line in lines], names - refused


def check(paths):
    claims = [entry for path in paths for entry in read(path)]
    modules = [claim(graph, program, f"c{number}") for number, (graph, program, _, _) in enumerate(claims)]
    reports, certified = verify("".join(modules))
    reports = {report["function"]: report["verification"] for report in reports}
    wrong = proved = equivalent = shown = 0
    for number, (_, _, expected, what) in enumerate(claims):
        result = reports[f"c{number}"]
        accepted = result["status"] in ("proved", "probabilistic", "tested")
        equivalent += expected
        proved += result["status"] == "proved"
        shown += "got_f64" in result.get("counter_example", {})
        if accepted != expected:
            wrong += 1
            print(f"{what}: got {result['status']}, expected {'equal' if expected else 'different'}")
        elif expected and result["status"] != "proved":
            print(f"{what}: {result['status']}, {result.get('no_proof')}")
        elif expected and f"c{number}" not in certified:
            print(f"{what}: the certificate of its proof is refused")
        elif not expected and "got_f64" not in result.get("counter_example", {}):
            print(f"{what}: rejected without inputs that show it: {result.get('reason')}")
    print(f"{len(claims) - wrong} of {len(claims)} verdicts right, {proved} of {equivalent} equivalent ones proved, "
          f"{shown} of {len(claims) - equivalent} others shown on inputs, {len(certified)} certificates checked")
    return 1 if wrong or proved < 0.95 * equivalent or len(certified) != proved else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["print"] and len(sys.argv) == 4:
        graph, program, _, _ = list(read(sys.argv[2]))[int(sys.argv[3])]
        print(claim(graph, program, "claim"))
    elif sys.argv[1:2] == ["check"] and len(sys.argv) > 2:
        sys.exit(check(sys.argv[2:]))
    else:
        sys.exit(__doc__)
