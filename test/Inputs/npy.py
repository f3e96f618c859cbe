#!/usr/bin/env python3
"""Writes and shows small .npy files without NumPy.

npy.py write FILE DESCR SHAPE VALUE...   SHAPE as 2x3; values repeat as needed
npy.py show FILE                         type, shape and values on one line
DESCR: <f2 <f4 <f8 |i1 <i4 ... and <V2, whose values are the bits.
"""

import ast
import itertools
import math
import struct
import sys

CODES = {"f2": "e", "f4": "f", "f8": "d", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "V2": "H", "u2": "H", "b1": "?"}


def write(path, descr, shape, *values):
    extents = tuple(int(extent) for extent in shape.split("x")) if shape else ()
    header = repr({"descr": descr, "fortran_order": False, "shape": extents}).encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    code = CODES[descr[1:]]
    number = float if code in "efd" else lambda text: int(text, 0)
    elements = itertools.islice(itertools.cycle(map(number, values)), math.prod(extents))
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        file.writelines(struct.pack("<" + code, element) for element in elements)


def show(path):
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10 : 10 + length].decode())
    code = CODES[header["descr"][1:]]
    values = [value for (value,) in struct.iter_unpack("<" + code, data[10 + length :])]
    print(header["descr"], list(header["shape"]), *(f"{value:g}" for value in values))


if __name__ == "__main__":
    {"write": write, "show": show}[sys.argv[1]](*sys.argv[2:])
