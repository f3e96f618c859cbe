"""The kernels that both compilers get.

Each case has two kernels. Both read a tile in the source layout and one in the
destination layout, and write each to where only it goes, so that the rest of the kernel
cannot change how they are read. `whole` then converts the first tile and writes it in the
destination layout; `frame` writes the second tile there. What `whole` has beyond `frame`
is the conversion.

Arguments: x is the first tile and u its copy, w the second and t its copy, y the result.
"""

import math

from . import layouts

ARGUMENTS = ["x", "u", "w", "t", "y"]
ROUND_TRIPS = 1024


def tensor(sizes, element, layout):
    return "tensor<" + "".join(f"{size}x" for size in sizes) + f"{element}, {layout}>"


class TritonPointers:
    """Ops that point at each element of a row-major tensor, in a layout."""

    def __init__(self, name, spec, base, element):
        self.name, self.layout = name, layouts.ttg_text(spec)
        self.shape = layouts.shape_of(spec)
        self.lines, self.type = [], tensor(self.shape, f"!tt.ptr<{element}>", self.layout)
        offsets = self.sum([self.offsets(dim) for dim in range(len(self.shape))])
        start = self.add("tt.splat", base, f"!tt.ptr<{element}> -> {self.type}")
        self.value = self.add("tt.addptr", f"{start}, {offsets}", f"{self.type}, {self.numbers(self.shape, self.layout)}")

    def add(self, op, operands, types):
        value = f"%{self.name}{len(self.lines)}"
        self.lines.append(f"{value} = {op} {operands} : {types}")
        return value

    @staticmethod
    def numbers(sizes, layout):
        return tensor(sizes, "i32", layout)

    def offsets(self, dim):
        """Numbers along one dim times its stride, broadcast to the tile."""
        others = [other for other in range(len(self.shape)) if other != dim]
        nested = [self.layout]
        for other in reversed(others):
            nested.append(f"#ttg.slice<{{dim = {other}, parent = {nested[-1]}}}>")
        sizes = [self.shape[dim]]
        kind = self.numbers(sizes, nested[-1])
        value = self.add("tt.make_range", f"{{start = 0 : i32, end = {sizes[0]} : i32}}", kind)
        for other, layout in zip(others, reversed(nested[:-1])):
            before, sizes = kind, sizes[:other] + [1] + sizes[other:]
            kind = self.numbers(sizes, layout)
            value = self.add("tt.expand_dims", f"{value} {{axis = {other} : i32}}", f"{before} -> {kind}")
        stride = self.add("arith.constant", f"dense<{math.prod(self.shape[dim + 1:])}>", kind)
        value = self.add("arith.muli", f"{value}, {stride}", kind)
        if sizes == self.shape:
            return value
        return self.add("tt.broadcast", value, f"{kind} -> {self.numbers(self.shape, self.layout)}")

    def sum(self, values):
        total = values[0]
        for value in values[1:]:
            total = self.add("arith.addi", f"{total}, {value}", self.numbers(self.shape, self.layout))
        return total


def triton_module(case, elements, lines):
    arguments = ", ".join(f"%{name}: !tt.ptr<{element}> {{tt.divisibility = 16 : i32}}"
                          for name, element in elements.items())
    return "\n".join([
        f'module attributes {{"ttg.num-ctas" = {case.blocks} : i32, "ttg.num-warps" = {case.warps} : i32,',
        f'    ttg.target = "{case.platform}", "ttg.threads-per-warp" = {case.lanes} : i32}} {{',
        f"  tt.func public @k({arguments}) attributes {{noinline = false}} {{"]
        + ["    " + line for line in lines] + ["    tt.return", "  }", "}", ""])


def triton_kernel(case, with_conversion):
    """A module of TritonGPU."""
    elements = {name: case.element if name in "xu" else case.destination_element for name in ARGUMENTS}
    at = {name: TritonPointers(name, case.source if name in "xu" else case.destination, f"%{name}", element)
          for name, element in elements.items()}
    tile, wanted = (tensor(at[name].shape, elements[name], at[name].layout) for name in "xy")
    lines = [line for pointers in at.values() for line in pointers.lines] + [
        f"%first = tt.load {at['x'].value} : {at['x'].type}",
        f"tt.store {at['u'].value}, %first : {at['u'].type}",
        f"%second = tt.load {at['w'].value} : {at['w'].type}",
        f"tt.store {at['t'].value}, %second : {at['t'].type}"]
    if with_conversion:
        lines.append(case.triton_operation(tile, wanted))
    result = "%third" if with_conversion else "%second"
    lines += [f"tt.store {at['y'].value}, {result} : {at['y'].type}"]
    return triton_module(case, elements, lines)


def flip(case, value, kind):
    """An op that nothing looks through, and that undoes itself."""
    op, one = ("arith.mulf", "-1.0") if case.bits == 16 else ("arith.xori", "-1")
    return [f"  {value}c = arith.constant dense<{one}> : {kind}", f"  {value}f = {op} {value}, {value}c : {kind}"]


def loop(case, convert, tile, wanted):
    """There and back again, many times."""
    return [f"%c0 = arith.constant 0 : {convert.counter}", f"%c1 = arith.constant 1 : {convert.counter}",
            f"%n = arith.constant {ROUND_TRIPS} : {convert.counter}",
            f"%last = scf.for %i = %c0 to %n step %c1 iter_args(%v = %first) -> ({tile}) {convert.suffix} {{",
            f"  %there = {convert.op} %v : {tile} -> {wanted}", *flip(case, "%there", wanted),
            f"  %back = {convert.op} %theref : {wanted} -> {tile}", *flip(case, "%back", tile),
            f"  scf.yield %backf : {tile}", "}"]


class TritonConversion:
    op, counter, suffix = "ttg.convert_layout", "i32", ": i32"


class TileConversion:
    op, counter, suffix = "layout.convert", "index", ""


def triton_loop(case):
    """Reads x, converts it there and back ROUND_TRIPS times, writes y."""
    element = case.element
    x, y = (TritonPointers(name, case.source, f"%{name}", element) for name in "xy")
    tile = tensor(x.shape, element, x.layout)
    lines = x.lines + y.lines + [f"%first = tt.load {x.value} : {x.type}"]
    lines += loop(case, TritonConversion, tile, tensor(x.shape, element, layouts.ttg_text(case.destination)))
    return triton_module(case, {"x": element, "y": element}, lines + [f"tt.store {y.value}, %last : {y.type}"])


def tile_function(case, name, arguments, lines):
    arguments = ", ".join(f"%{argument}: {kind}" for argument, kind in arguments.items())
    return "\n".join([f"  gpu.func @{name}({arguments}) kernel attributes",
                      f"      {{known_block_size = array<i32: {case.warps * case.lanes}, 1, 1>}} {{"]
                     + ["    " + line for line in lines] + ["    gpu.return", "  }", ""])


def memref(shape, element):
    return "memref<" + "".join(f"{size}x" for size in shape) + f"{element}>"


def tile_types(case):
    """Of the first and of the other tiles."""
    return (tensor(case.shape, case.element, layouts.layout_text(case.source_bases)),
            tensor(case.destination_shape, case.destination_element, layouts.layout_text(case.destination_bases)))


def tile_loop(case, name):
    """The same as `triton_loop`."""
    (tile, wanted), buffer = tile_types(case), memref(case.shape, case.element)
    at = "[" + ", ".join(["%c0"] * len(case.shape)) + "]"
    steps = loop(case, TileConversion, tile, wanted)
    lines = steps[:3] + [f"%first = layout.load %x{at} : {buffer} -> {tile}"] + steps[3:]
    return tile_function(case, name, {"x": buffer, "y": buffer},
                         lines + [f"layout.store %last, %y{at} : {tile}, {buffer}"])


def tile_kernel(case, name, with_conversion):
    """A kernel of the layout dialect."""
    tile, wanted = tile_types(case)
    buffer, result = memref(case.shape, case.element), memref(case.destination_shape, case.destination_element)
    at = "[" + ", ".join(["%c0"] * len(case.shape)) + "]"
    lines = ["%c0 = arith.constant 0 : index",
             f"%first = layout.load %x{at} : {buffer} -> {tile}",
             f"layout.store %first, %u{at} : {tile}, {buffer}",
             f"%second = layout.load %w{at} : {result} -> {wanted}",
             f"layout.store %second, %t{at} : {wanted}, {result}"]
    if with_conversion:
        lines.append(case.tile_operation(tile, wanted))
    lines += [f"layout.store {'%third' if with_conversion else '%second'}, %y{at} : {wanted}, {result}"]
    return tile_function(case, name, {name: buffer if name in "xu" else result for name in ARGUMENTS}, lines)
