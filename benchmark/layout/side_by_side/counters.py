"""Counts instructions by kind in SASS (NVIDIA) and in the assembly of AMD."""

import collections
import re

# The kinds, in the order of the tables. `shared` counts both directions.
KINDS = ["total", "barriers", "shuffles", "permutes", "selects", "stores", "loads", "matrix stores", "matrix loads"]

SASS = [
    ("barriers", r"BAR|UCGABAR\w*"),
    ("shuffles", r"SHFL|MOVM"),
    ("permutes", r"PRMT|UPRMT"),
    ("selects", r"SEL|FSEL|USEL"),
    ("stores", r"STS|ST"),
    ("loads", r"LDS|LD"),
    ("matrix stores", r"STSM"),
    ("matrix loads", r"LDSM"),
]
SASS_IGNORED = re.compile(r"NOP|BRA|EXIT|LDL|STL")  # and what the assembler spills

GCN = [
    ("barriers", r"s_barrier"),
    ("shuffles", r"ds_bpermute_b32|ds_permute_b32|ds_swizzle_b32|v_permlane\w*|\w+_dpp"),
    ("permutes", r"v_perm_b32|v_pack_b32_f16|v_alignbit_b32|v_alignbyte_b32|v_\w+_sdwa"),
    ("selects", r"v_cndmask_b32\w*"),
    ("stores", r"ds_write\w*"),
    ("loads", r"ds_read\w*"),
]
GCN_IGNORED = re.compile(r"s_nop|s_endpgm|s_code_end|s_waitcnt\w*|s_delay_alu")


class Counts(collections.Counter):
    """Instructions by kind, and accesses to shared memory by width in bits (`widths`)."""

    def __init__(self):
        super().__init__()
        self.widths = collections.Counter()

    def minus(self, other):
        result = Counts()
        for kind in KINDS:
            result[kind] = self[kind] - other[kind]
        result.widths = self.widths - other.widths
        return result


def count(opcodes, kinds, ignored, width):
    counts = Counts()
    for opcode in opcodes:
        base = opcode.split(".")[0]
        if ignored.fullmatch(base):
            continue
        counts["total"] += 1
        for kind, pattern in kinds:
            if re.fullmatch(pattern, base):
                counts[kind] += 1
                if kind in ("stores", "loads", "matrix stores", "matrix loads"):
                    counts.widths[(kind, width(opcode))] += 1
    return counts


def sass_width(opcode):
    parts = opcode.split(".")
    if parts[0] in ("LDSM", "STSM"):
        return 32 * int(parts[-1]) if parts[-1] in ("2", "4") else 32
    for part in parts[1:]:
        if part in ("64", "128"):
            return int(part)
        if re.fullmatch(r"[US](8|16)", part):
            return int(part[1:])
    return 32


def sass(text):
    """Counts by function of what `cuobjdump -sass` prints."""
    result, name = {}, None
    for line in text.splitlines():
        if match := re.match(r"\s*Function : (\S+)", line):
            name, result[match[1]] = match[1], []
        elif match := re.match(r"\s*/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)", line):
            result[name].append(match[1])
    return {name: count(opcodes, SASS, SASS_IGNORED, sass_width) for name, opcodes in result.items()}


def gcn_width(opcode):
    match = re.search(r"_(?:[biu]|d16_?\w*?[biu]?)(\d+)", opcode)
    bits = int(match[1]) if match else 32
    return 2 * bits if re.match(r"ds_(read|write)2", opcode) else bits


def gcn(text):
    """Counts by function of a module of AMD assembly."""
    result, name = {}, None
    for line in text.splitlines():
        if match := re.match(r"(\w+):", line):
            name = match[1]
            result.setdefault(name, [])
        elif line.startswith(".Lfunc_end"):
            name = None
        elif name and (match := re.match(r"\t([a-z]\w+)", line)):
            result[name].append(match[1])
    return {name: count(opcodes, GCN, GCN_IGNORED, gcn_width) for name, opcodes in result.items() if opcodes}
