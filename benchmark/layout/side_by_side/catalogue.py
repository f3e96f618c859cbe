"""The conversions that are compared: recorded ones, and pairs of common layouts."""

import json

import numpy as np

from . import layouts
from .layouts import blocked, linear, mfma, mma, operand, slice_of


class Case:
    """One conversion. The kernels read `first` in the source layout and make `third` of it."""

    kind = "conversion"

    def __init__(self, name, source, destination, bits, target):
        self.name, self.source, self.destination, self.bits, self.target = name, source, destination, bits, target
        self.is_amd = target.startswith("gfx")
        self.lanes = 64 if self.is_amd else 32
        self.warps = max(layouts.warps_of(source), layouts.warps_of(destination))
        self.blocks = max(layouts.blocks_of(source), layouts.blocks_of(destination))
        self.capability = None if self.is_amd else int(target[3:].rstrip("a"))
        self.platform = f"hip:{target}" if self.is_amd else f"cuda:{self.capability}"
        self.source_bases = self.destination_bases = None  # see `complete`
        self.element = self.destination_element = {8: "i8", 16: "f16", 32: "i32"}[bits]
        self.shape = self.destination_shape = layouts.shape_of(source)

    def complete(self, source_bases, destination_bases):
        self.source_bases, self.destination_bases = source_bases, destination_bases

    def triton_operation(self, tile, wanted):
        return f"%third = ttg.convert_layout %first : {tile} -> {wanted}"

    def tile_operation(self, tile, wanted):
        return f"%third = layout.convert %first : {tile} -> {wanted}"

    def data(self):
        """Two tiles, and what the third should be."""
        random = np.random.default_rng(1)
        first, second = (random.integers(0, 256, self.bits // 8 * int(np.prod(self.shape)), np.uint8) for _ in range(2))
        return first, second, first


class Reduction(Case):
    """The sum of each row, in f32."""

    kind = "reduction"

    def __init__(self, name, source, target):
        super().__init__(name, source, layouts.slice_of(source, 1), 32, target)
        self.element = self.destination_element = "f32"
        self.destination_shape = [self.shape[0], 1]

    def complete(self, source_bases, destination_bases):
        reduced = {label: [[row, 0] for row, _ in bases if row or label != "register"]
                   for label, bases in source_bases["in"].items()}
        self.source_bases = source_bases
        self.destination_bases = {"in": reduced, "out": {"dim0": self.shape[0], "dim1": 1}}

    def triton_operation(self, tile, wanted):
        return (f'%third = "tt.reduce"(%first) <{{axis = 1 : i32}}> ({{\n    ^bb0(%a: f32, %b: f32):\n'
                f"      %sum = arith.addf %a, %b : f32\n      tt.reduce.return %sum : f32\n    }}) : ({tile}) -> {wanted}")

    def tile_operation(self, tile, wanted):
        return f"%third = layout.reduce sum %first axis = 1 : {tile} -> {wanted}"

    def data(self):
        random = np.random.default_rng(1)
        first = random.integers(-8, 8, self.shape).astype(np.float32)
        second = random.integers(-8, 8, self.shape[0]).astype(np.float32)
        return tuple(np.frombuffer(part.tobytes(), np.uint8) for part in (first, second, first.sum(axis=1)))


def recorded(path):
    with open(path) as file:
        for line in file:
            case = json.loads(line)
            if case["verb"] == "convert":
                spec = case["spec"]
                yield Case(case["name"], spec["src"], spec["dst"], spec["elem_bits"], spec["target"])


GRIDS = {1: [1, 1], 4: [2, 2], 8: [4, 2]}


def split_of(warps, dim):
    """All warps along one dim of two."""
    return [warps, 1] if dim == 0 else [1, warps]


def shape_for(warps):
    return [32, 32] if warps == 1 else [64, 64]


class Product(Case):
    """A matrix of bytes, widened, times a constant one."""

    kind = "product"

    def __init__(self, name, element, wide, accumulator, width, target):
        super().__init__(name, operand("a", accumulator, width, 16), accumulator, 8, target)
        self.other = operand("b", accumulator, width, 16)
        self.element, self.wide, self.destination_element = element, wide, "f32"

    def complete(self, source_bases, destination_bases, other_bases):
        super().complete(source_bases, destination_bases)
        self.other_bases = other_bases

    def ones_and_zeros(self, widened, other, wanted):
        return [f"%ones = arith.constant dense<1.0> : {other}", f"%zeros = arith.constant dense<0.0> : {wanted}"]

    def triton_operation(self, tile, wanted):
        widened = tile.replace(f"x{self.element},", f"x{self.wide},")
        other = widened.replace(layouts.ttg_text(self.source), layouts.ttg_text(self.other))
        widen = "arith.sitofp %first :" if self.element == "i8" else "tt.fp_to_fp %first :"
        arrow = "to" if self.element == "i8" else "->"
        return "\n    ".join(self.ones_and_zeros(widened, other, wanted) + [
            f"%wide = {widen} {tile} {arrow} {widened}",
            f"%third = tt.dot %wide, %ones, %zeros, inputPrecision = tf32 : {widened} * {other} -> {wanted}"])

    def tile_operation(self, tile, wanted):
        widened = tile.replace(f"x{self.element},", f"x{self.wide},")
        other = widened.replace(layouts.layout_text(self.source_bases), layouts.layout_text(self.other_bases))
        widen = "arith.sitofp" if self.element == "i8" else "arith.extf"
        return "\n    ".join(self.ones_and_zeros(widened, other, wanted) + [
            f"%wide = {widen} %first : {tile} to {widened}",
            f"%third = layout.dot %wide, %ones, %zeros : {widened}, {other}, {wanted}"])

    def data(self):
        """Small integers: each row of the product has the sum of the row."""
        random = np.random.default_rng(1)
        numbers = random.integers(-4, 4, self.shape)
        second = random.integers(-8, 8, self.shape).astype(np.float32)
        first = numbers.astype(np.int8) if self.element == "i8" else small_floats(numbers, self.element)
        third = np.repeat(numbers.sum(axis=1, keepdims=True), self.shape[1], axis=1).astype(np.float32)
        return tuple(np.frombuffer(part.tobytes(), np.uint8) for part in (first, second, third))


def small_floats(numbers, element):
    """Integers from -4 to 4 as 8-bit floats."""
    bias, bits = {"f8E4M3FN": (7, 3), "f8E5M2": (15, 2)}[element]
    magnitude = np.abs(numbers)
    exponent = np.where(magnitude >= 4, 2, np.where(magnitude >= 2, 1, 0))
    fraction = (magnitude << bits >> exponent) - (1 << bits)
    code = np.where(magnitude == 0, 0, (exponent + bias << bits) + fraction)
    return (code | np.where(numbers < 0, 128, 0)).astype(np.uint8)


def blocked_layouts(bits, warps, lanes=32):
    """Layouts of a tile as memory, reductions and products want them."""
    wide = 128 // bits
    rows, columns = lanes // 8, 8
    shape = shape_for(warps)
    yield "rows", blocked(shape, [1, wide], [rows, columns], split_of(warps, 0), [1, 0])
    yield "pairs", blocked(shape, [1, 2], [1, lanes], split_of(warps, 0), [1, 0])
    yield "columns", blocked(shape, [wide, 1], [columns, rows], split_of(warps, 1), [0, 1])
    yield "tiles", blocked(shape, [4, 4], [rows, columns], split_of(warps, 1), [1, 0])
    yield "whole rows", blocked(shape, [1, 16], [lanes, 1], split_of(warps, 1), [1, 0])


def pairs_of(named):
    named = list(named)
    for i, (first, source) in enumerate(named):
        for j, (second, destination) in enumerate(named):
            if i != j:
                yield f"{first} → {second}", source, destination


def products_of_warps(warps):
    """A product of mma.sync: accumulator, operands, memory."""
    d = mma(2, shape_for(warps), GRIDS[warps])
    for bits, widths in ((8, (4, 8, 16)), (16, (2, 4, 8)), (32, (1, 2, 4))):
        row, column = (dict(blocked_layouts(bits, warps))[name] for name in ("rows", "columns"))
        yield "mma d → rows", d, row, bits
        yield "rows → mma d", row, d, bits
        yield "mma d → columns", d, column, bits
        for width in widths:
            for side in "ab":
                wanted = operand(side, d, width, bits)
                yield f"rows → mma {side}, k_width {width}", row, wanted, bits
                yield f"mma d → mma {side}, k_width {width}", d, wanted, bits
        yield f"columns → mma b, k_width {widths[0]}", column, operand("b", d, widths[0], bits), bits


def products_of_groups(warps):
    """A product of wgmma."""
    shape = [64 * warps // 4, 128]
    d = mma(3, shape, [warps, 1], [16, 128, 16])
    for bits, width in ((8, 4), (16, 2), (32, 1)):
        row = blocked(shape, [1, 128 // bits], [4, 8], [warps, 1], [1, 0])
        yield "wgmma d → rows", d, row, bits
        yield "rows → wgmma d", row, d, bits
        yield f"wgmma d → wgmma a, k_width {width}", d, operand("a", d, width, bits), bits
        yield f"rows → wgmma a, k_width {width}", row, operand("a", d, width, bits), bits


def slices(warps):
    row, tile = (dict(blocked_layouts(32, warps))[name] for name in ("rows", "tiles"))
    d = mma(2, shape_for(warps), GRIDS[warps])
    line = blocked(shape_for(warps)[:1], [1], [32], [warps], [0])
    for bits in (16, 32):
        for name, parent in (("rows", row), ("tiles", tile), ("mma d", d)):
            for dim in (0, 1):
                yield f"slice {dim} of {name} → line", slice_of(parent, dim), line, bits
                yield f"line → slice {dim} of {name}", line, slice_of(parent, dim), bits
        yield "slice 1 of mma d → slice 1 of rows", slice_of(d, 1), slice_of(row, 1), bits
        yield "slice 0 of mma d → slice 1 of mma d", slice_of(d, 0), slice_of(d, 1), bits


def linears():
    """Matrices without a name: bits that trade places, and replicas."""
    unit = {name: [2**bit for bit in bits] for name, bits in
            (("low", range(2)), ("middle", range(2, 7)), ("high", range(7, 9)))}
    low, middle, high = ([[value] for value in unit[name]] for name in ("low", "middle", "high"))
    shape, plain = [512], linear([512], low, middle, high)
    yield "registers ↔ lanes", plain, linear(shape, middle[:2], low + middle[2:], high)
    yield "lanes reversed", plain, linear(shape, low, middle[::-1], high)
    yield "registers ↔ warps", plain, linear(shape, high, middle, low)
    yield "all reversed", plain, linear(shape, high[::-1], middle[::-1], low[::-1])
    zero = [[0]]
    few = linear([64], low, middle[:4] + zero, zero + zero)
    yield "replicas in lane and warps → none", few, linear([64], [], middle[:4] + low[:1], low[1:] + zero)
    yield "none → replicas in lane and warps", linear([64], [], middle[:4] + low[:1], low[1:] + zero), few
    yield "replicas in lanes → in registers", linear([32], low[:1], [[2], [4], [8], [16]] + zero, zero), \
        linear([32], zero + low[:1], zero + [[2], [4], [8], [16]], zero)
    yield "one register → all lanes", linear([32], [], [[1], [2], [4], [8], [16]]), \
        linear([32], [[1], [2], [4], [8], [16]], zero * 5)


def amd_products():
    for warps in (1, 4):
        for edge, depth, transposed in ((32, 8, False), (32, 8, True), (16, 16, False), (16, 16, True)):
            d = mfma(shape_for(warps), GRIDS[warps], [edge, edge, depth], transposed)
            name = f"mfma {edge}{' transposed' if transposed else ''}"
            for bits in (8, 16, 32):
                row = dict(blocked_layouts(bits, warps, 64))["rows"]
                yield f"{name} → rows", d, row, bits
                yield f"rows → {name}", row, d, bits
            for width in (4, 8):
                yield f"{name} → a, k_width {width}", d, operand("a", d, width, 16), 16
                yield f"rows → {name} a, k_width {width}", dict(blocked_layouts(16, warps, 64))["rows"], \
                    operand("a", d, width, 16), 16
        for bits in (8, 16, 32):
            named = dict(blocked_layouts(bits, warps, 64))
            for first, second in (("rows", "columns"), ("columns", "rows"), ("pairs", "rows"), ("tiles", "rows")):
                yield f"{first} → {second}", named[first], named[second], bits


def catalogue():
    """All cases that are not recorded."""
    def case(group, warps, source, destination, bits, target):
        return Case(f"{group}, {bits} bits, {warps} warps", source, destination, bits, target)

    for warps in (1, 4):
        for bits in (8, 16, 32):
            for name, source, destination in pairs_of(blocked_layouts(bits, warps)):
                yield case(name, warps, source, destination, bits, "sm_90a")
    for warps in (1, 4, 8):
        for make in (products_of_warps, slices):
            for name, source, destination, bits in make(warps):
                yield case(name, warps, source, destination, bits, "sm_90a")
    for warps in (4, 8):
        for name, source, destination, bits in products_of_groups(warps):
            yield case(name, warps, source, destination, bits, "sm_90a")
    for bits in (8, 16, 32):
        for name, source, destination in linears():
            yield case(name, layouts.warps_of(source), source, destination, bits, "sm_90a")
    for name, source, destination, bits in amd_products():
        yield case(name, layouts.warps_of(source), source, destination, bits, "gfx942")


def reductions():
    """Rows of the layouts that memory and products have."""
    for warps in (1, 4, 8):
        for name, source in blocked_layouts(32, warps):
            yield Reduction(f"sum of {name}, {warps} warps", source, "sm_90a")
        yield Reduction(f"sum of mma d, {warps} warps", mma(2, shape_for(warps), GRIDS[warps]), "sm_90a")
        if warps > 1:
            d = mma(3, [64 * warps // 4, 128], [warps, 1], [16, 128, 16])
            yield Reduction(f"sum of wgmma d, {warps} warps", d, "sm_90a")
    for warps in (1, 4):
        for name, source in blocked_layouts(32, warps, 64):
            yield Reduction(f"sum of {name}, {warps} warps, gfx942", source, "gfx942")
        for transposed in (False, True):
            d = mfma(shape_for(warps), GRIDS[warps], [32, 32, 8], transposed)
            yield Reduction(f"sum of mfma 32{' transposed' if transposed else ''}, {warps} warps", d, "gfx942")


def products():
    """Products of mma.sync whose first operand has 8 bits in memory."""
    for warps in (1, 4):
        d = mma(2, [64, 64], GRIDS[warps])
        for element in ("i8", "f8E4M3FN", "f8E5M2"):
            for wide in ("f16", "bf16"):
                for width in (2, 4, 8):
                    name = f"{element} as {wide} × {wide}, k_width {width}, {warps} warps"
                    yield Product(name, element, wide, d, width, "sm_90a")


def complete(cases, tool):
    """Fills in the bases of all layouts."""
    specs = [[case.source, case.destination] + ([case.other] if case.kind == "product" else []) for case in cases]
    bases = iter(layouts.bases_of([spec for group in specs for spec in group], tool))
    for case, group in zip(cases, specs):
        case.complete(*[next(bases) for _ in group])
    return cases
