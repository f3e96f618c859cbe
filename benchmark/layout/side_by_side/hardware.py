#!/usr/bin/env python3
"""Runs loops of conversions on a GPU and times them, ours beside Triton's.

Usage: hardware.py DIR [--repeat=7]

DIR is what `compare_triton.py --loops=DIR` wrote. Needs Python and the CUDA driver. Each
loop must leave its tile as it was. Prints JSON lines: nanoseconds of one conversion there
and back, of a multiprocessor that is full of blocks, the least of --repeat launches;
`alone` is the same of one block on its own.
"""

import argparse
import ctypes
import json
import os
import random


class Driver:
    def __init__(self):
        self.library = ctypes.CDLL("libcuda.so.1")
        self.call("cuInit", 0)
        self.device = ctypes.c_int()
        self.call("cuDeviceGet", ctypes.byref(self.device), 0)
        context = ctypes.c_void_p()
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), self.device)
        self.call("cuCtxSetCurrent", context)

    def call(self, name, *arguments):
        status = getattr(self.library, name)(*arguments)
        if status:
            raise SystemExit(f"{name}: CUDA error {status}")

    def attribute(self, number):
        value = ctypes.c_int()
        self.call("cuDeviceGetAttribute", ctypes.byref(value), number, self.device)
        return value.value

    def name(self):
        text = ctypes.create_string_buffer(100)
        self.call("cuDeviceGetName", text, 100, self.device)
        return text.value.decode()

    def allocate(self, size):
        pointer = ctypes.c_uint64()
        self.call("cuMemAlloc_v2", ctypes.byref(pointer), ctypes.c_size_t(size))
        return pointer

    def module(self, path):
        with open(path, "rb") as file:
            image = file.read()
        module = ctypes.c_void_p()
        self.call("cuModuleLoadData", ctypes.byref(module), image)
        return module

    def function(self, module, name, shared):
        function = ctypes.c_void_p()
        self.call("cuModuleGetFunction", ctypes.byref(function), module, name.encode())
        if shared > 48 * 1024:
            self.call("cuFuncSetAttribute", function, 8, shared)  # dynamic shared memory
        return function

    def launch(self, function, blocks, threads, shared, pointers):
        values = [ctypes.c_uint64(pointer.value if pointer else 0) for pointer in pointers]
        array = (ctypes.c_void_p * len(values))(*[ctypes.addressof(value) for value in values])
        self.call("cuLaunchKernel", function, blocks, 1, 1, threads, 1, 1, shared, None, array, None)

    def microseconds(self, launch):
        start, end, elapsed = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_float()
        for event in (start, end):
            self.call("cuEventCreate", ctypes.byref(event), 0)
        self.call("cuEventRecord", start, None)
        launch()
        self.call("cuEventRecord", end, None)
        self.call("cuEventSynchronize", end)
        self.call("cuEventElapsedTime", ctypes.byref(elapsed), start, end)
        return 1000 * elapsed.value


class Loop:
    def __init__(self, driver, folder, modules, case, side):
        self.driver, self.case, self.side = driver, case, side
        if side["file"] not in modules:
            modules[side["file"]] = driver.module(os.path.join(folder, side["file"]))
        self.function = driver.function(modules[side["file"]], side["kernel"], side["shared"])
        self.source, self.result = (driver.allocate(case["bytes"]) for _ in range(2))

    def launch(self, blocks):
        # Triton's kernels have two more arguments.
        self.driver.launch(self.function, blocks, self.case["threads"], self.side["shared"],
                           [self.source, self.result, None, None])

    def is_right(self):
        data = random.Random(1).randbytes(self.case["bytes"])
        if self.case["halves"]:  # small numbers: no infinities
            data = bytes(byte & 0x3F if index % 2 else byte for index, byte in enumerate(data))
        self.driver.call("cuMemcpyHtoD_v2", self.source, data, ctypes.c_size_t(len(data)))
        self.launch(1)
        copy = ctypes.create_string_buffer(len(data))
        self.driver.call("cuMemcpyDtoH_v2", copy, self.result, ctypes.c_size_t(len(data)))
        return copy.raw == data

    def nanoseconds(self, blocks, repeat):
        self.launch(blocks)
        least = min(self.driver.microseconds(lambda: self.launch(blocks)) for _ in range(repeat))
        return 1000 * least / self.case["trips"]

    def free(self):
        for pointer in (self.source, self.result):
            self.driver.call("cuMemFree_v2", pointer)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--repeat", type=int, default=7)
    arguments = parser.parse_args()
    driver, modules = Driver(), {}
    processors = driver.attribute(16)
    print(json.dumps({"device": driver.name(), "multiprocessors": processors}))
    with open(os.path.join(arguments.folder, "loops.json")) as file:
        cases = json.load(file)
    for case in cases:
        case["halves"] = "16 bits" in case["name"] or case["name"].startswith("f16")
        full = processors * max(1, 1024 // case["threads"])
        answer = {"name": case["name"], "right": [], "full": [], "alone": []}
        for side in case["sides"]:
            loop = Loop(driver, arguments.folder, modules, case, side)
            answer["right"].append(loop.is_right())
            answer["full"].append(round(loop.nanoseconds(full, arguments.repeat), 2))
            answer["alone"].append(round(loop.nanoseconds(1, arguments.repeat), 2))
            loop.free()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
