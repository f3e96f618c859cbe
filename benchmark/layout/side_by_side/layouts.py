"""Layouts as `mirage-layout` takes them, in the text forms of both compilers."""

import json
import subprocess

WARP_SIZE = {"sm": 32, "gfx": 64}


def blocked(shape, values, lanes, warps, order):
    return {"kind": "blocked", "shape": shape, "size_per_thread": values, "threads_per_warp": lanes,
            "warps_per_cta": warps, "order": order}


def mma(version, shape, warps, instruction=None):
    return {"kind": "mma", "version": version, "shape": shape, "warps_per_cta": warps,
            "instr_shape": instruction or [16, 8]}


def mfma(shape, warps, instruction, transposed):
    return {"kind": "mfma", "version": 3, "shape": shape, "warps_per_cta": warps, "instr_shape": instruction,
            "transposed": transposed}


def without_shape(spec):
    return {key: value for key, value in spec.items() if key != "shape"}


def operand(side, parent, width, bits):
    """The operand of a product whose accumulator is `parent`; it has the shape of the accumulator."""
    return {"kind": "dot_operand", "shape": parent["shape"], "operand": side, "k_width": width, "elem_bits": bits,
            "parent": without_shape(parent)}


def slice_of(parent, dim):
    shape = [size for index, size in enumerate(parent["shape"]) if index != dim]
    return {"kind": "slice", "shape": shape, "dim": dim, "parent": without_shape(parent)}


def linear(shape, register, lane, warp=()):
    return {"kind": "linear", "in": {"register": list(register), "lane": list(lane), "warp": list(warp), "block": []},
            "out": {f"dim{index}": size for index, size in enumerate(shape)}}


def shape_of(spec):
    return list(spec["shape"]) if "shape" in spec else list(spec["out"].values())


def warps_of(spec):
    if "in" in spec:
        return 2 ** len(spec["in"]["warp"])
    spec = spec.get("parent", spec)
    if "parent" in spec:
        return warps_of(spec)
    product = 1
    for count in spec["warps_per_cta"]:
        product *= count
    return product


def blocks_of(spec):
    product = 1
    for count in spec.get("ctas_per_cga", []):
        product *= count
    return product


def bases_of(specs, tool):
    """The bases of each layout, from `mirage-layout make`."""
    lines = "\n".join(json.dumps(spec) for spec in specs)
    answer = subprocess.run([tool, "make", "-"], input=lines, capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(f"mirage-layout: {answer.stderr.strip()}")
    return [json.loads(line) for line in answer.stdout.splitlines()]


def layout_text(answer):
    """The attribute of our dialect."""
    labels = [f"{label} = {bases}" for label, bases in answer["in"].items() if bases]
    return f"#layout.linear<{', '.join(labels)} -> {list(answer['out'].values())}>"


def cluster_text(spec):
    """The blocks of a cluster, of which each holds all (the only form that the cases use)."""
    if blocks_of(spec) == 1:
        return ""
    if any(count != 1 for count in spec["cta_split"]):
        raise ValueError("tiles that are split between blocks are not written for Triton")
    bases = [[0] * len(spec["ctas_per_cga"])] * (blocks_of(spec).bit_length() - 1)
    return f", CGALayout = {bases}"


def ttg_text(spec):
    """The attribute of TritonGPU."""
    kind = spec["kind"]
    if kind == "linear":
        bases = spec["in"]
        return "#ttg.linear<{" + ", ".join(f"{label} = {bases.get(label, [])}"
                                           for label in ("register", "lane", "warp", "block")) + "}>"
    if kind == "blocked":
        return (f"#ttg.blocked<{{sizePerThread = {spec['size_per_thread']}, threadsPerWarp = {spec['threads_per_warp']}, "
                f"warpsPerCTA = {spec['warps_per_cta']}, order = {spec['order']}{cluster_text(spec)}}}>")
    if kind == "mma":
        return (f"#ttg.nvidia_mma<{{versionMajor = {spec['version']}, versionMinor = 0, "
                f"warpsPerCTA = {spec['warps_per_cta']}, instrShape = {spec['instr_shape']}}}>")
    if kind == "mfma":
        return (f"#ttg.amd_mfma<{{version = {spec['version']}, warpsPerCTA = {spec['warps_per_cta']}, "
                f"instrShape = {spec['instr_shape']}, isTransposed = {str(spec['transposed']).lower()}}}>")
    if kind == "dot_operand":
        return (f"#ttg.dot_op<{{opIdx = {'ab'.index(spec['operand'])}, parent = {ttg_text(spec['parent'])}, "
                f"kWidth = {spec['k_width']}}}>")
    if kind == "slice":
        return f"#ttg.slice<{{dim = {spec['dim']}, parent = {ttg_text(spec['parent'])}}}>"
    raise ValueError(f"no TritonGPU layout for kind '{kind}'")
