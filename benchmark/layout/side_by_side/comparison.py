"""Compiles, executes and counts each case with both compilers."""

import json
import os
import sys

import numpy as np

from . import compilers, kernels, ptx


class Side:
    """What one compiler makes of a case."""

    def __init__(self, whole, frame):
        self.whole, self.counts, self.shared = whole, whole.counts.minus(frame.counts), whole.shared
        self.is_correct = self.wavefronts = None  # where it is executed

    def execute(self, kernel, case):
        """Runs the code; the tile must arrive as it was."""
        first, second, third = case.data()
        copies = [np.zeros(len(data), np.uint8) for data in (first, second, third)]
        # Triton's kernels have two more arguments.
        memory = [first, copies[0], second, copies[1], copies[2], np.zeros(0, np.uint8), np.zeros(0, np.uint8)]
        machine = ptx.Machine(self.whole.text, kernel, memory, 32 * case.warps)
        self.is_correct = all((copy == tile).all() for copy, tile in zip(copies, (first, second, third)))
        self.wavefronts = machine.store_wavefronts + machine.load_wavefronts


class Result:
    def __init__(self, case):
        self.case, self.ours, self.theirs, self.refusal, self.unexecuted = case, None, None, None, None

    @property
    def is_wrong(self):
        """Our code is wrong, or there is none."""
        return self.ours is None or self.ours.is_correct is False


class Comparison:
    def __init__(self, build):
        self.triton = compilers.Triton()
        self.mirage = compilers.Mirage(build, self.triton.nvidia)

    def ours(self, cases):
        """Code of each case's two kernels, compiled together by target."""
        made = [None] * len(cases)
        for target in sorted({case.target for case in cases}):
            indices = [index for index, case in enumerate(cases) if case.target == target]
            text = [kernels.tile_kernel(cases[index], f"{name}{index}", name == "whole")
                    for index in indices for name in ("whole", "frame")]
            code = self.mirage.compile(text, target)
            for index in indices:
                made[index] = Side(code[f"whole{index}"], code[f"frame{index}"])
        return made

    def theirs(self, case):
        """Triton's code with and without the operation, or why there is none."""
        try:
            return [self.triton.compile(kernels.triton_kernel(case, whole), case) for whole in (True, False)]
        except compilers.Failed as error:
            return str(error)

    def all_theirs(self, cases):
        made = [self.theirs(case) for case in cases]
        for target in sorted({case.target for case in cases if not case.is_amd}):
            self.triton.count([code for case, codes in zip(cases, made) if case.target == target
                               and not isinstance(codes, str) for code in codes])
        return [codes if isinstance(codes, str) else Side(*codes) for codes in made]

    def loops(self, cases, folder):
        """Binaries of loops of conversions there and back, and a list of them, for `hardware.py`."""
        cases = [case for case in cases if case.target == "sm_90a" and case.blocks == 1 and case.bits in (16, 32)
                 and case.kind == "conversion"]
        ours = self.mirage.compile([kernels.tile_loop(case, f"loop{index}") for index, case in enumerate(cases)], "sm_90a")
        os.makedirs(folder, exist_ok=True)
        entries = []
        for index, case in enumerate(cases):
            try:
                theirs = self.triton.compile(kernels.triton_loop(case), case)
            except compilers.Failed as error:
                print(f"{case.name}: {error}", file=sys.stderr)
                continue
            write(os.path.join(folder, f"{index}.cubin"), theirs.binary)
            sides = [{"file": "ours.cubin", "kernel": f"loop{index}", "shared": ours[f"loop{index}"].shared},
                     {"file": f"{index}.cubin", "kernel": "k", "shared": theirs.shared}]
            entries.append({"name": case.name, "threads": 32 * case.warps, "trips": kernels.ROUND_TRIPS,
                            "bytes": len(case.data()[0]), "sides": sides})
        write(os.path.join(folder, "ours.cubin"), next(iter(ours.values())).binary)
        write(os.path.join(folder, "loops.json"), json.dumps(entries).encode())

    def run(self, cases, keep):
        results, ours, theirs = [], self.ours(cases), self.all_theirs(cases)
        for index, case in enumerate(cases):
            result = Result(case)
            result.ours = ours[index]
            results.append(result)
            if isinstance(theirs[index], str):
                result.refusal = theirs[index]
            else:
                result.theirs = theirs[index]
            if not case.is_amd and case.blocks == 1 and case.kind != "product":
                self.execute(result, index)
            if keep:
                save(result, index, keep)
            print(f"{index + 1}/{len(cases)} {case.name}", file=sys.stderr)
        return results

    @staticmethod
    def execute(result, index):
        try:
            result.ours.execute(f"whole{index}", result.case)
            if result.theirs:
                result.theirs.execute("k", result.case)
        except ptx.Unknown as error:
            result.unexecuted = str(error)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def save(result, index, folder):
    os.makedirs(folder, exist_ok=True)
    end = "s" if result.case.is_amd else "ptx"
    write(os.path.join(folder, f"{index}.ours.{end}"), result.ours.whole.text.encode())
    if result.theirs:
        write(os.path.join(folder, f"{index}.triton.{end}"), result.theirs.whole.text.encode())
