"""Both compilers, from text to counted instructions."""

import os
import re
import subprocess
import tempfile

from . import counters


class Failed(Exception):
    """A compiler refuses a kernel; the message is its reason."""


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        raise Failed((done.stderr.strip() or done.stdout.strip() or "no message")[:2000])
    return done.stdout


class Nvidia:
    """The assembler that comes with Triton, for the code of both."""

    def __init__(self, triton):
        self.folder = os.path.join(os.path.dirname(triton.__file__), "backends", "nvidia", "bin")

    def version(self):
        return re.search(r"V[\d.]+", run([os.path.join(self.folder, "ptxas"), "--version"]))[0]

    def assemble(self, ptx):
        """The binary of a module, as Triton has it made."""
        target = re.search(r"\.target (\w+)", ptx)[1]
        with tempfile.TemporaryDirectory() as folder:
            source, binary = os.path.join(folder, "k.ptx"), os.path.join(folder, "k.cubin")
            with open(source, "w") as file:
                file.write(ptx)
            run([os.path.join(self.folder, "ptxas"), f"--gpu-name={target}", source, "-o", binary])
            with open(binary, "rb") as file:
                return file.read()

    def counts(self, binary):
        """Counts of each kernel."""
        with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
            file.write(binary)
            file.flush()
            return counters.sass(run([os.path.join(self.folder, "cuobjdump"), "-sass", file.name]))


def merge(modules):
    """Modules of one kernel `k` each as one module of kernels k0, k1, ...: tools start once then."""
    heads, bodies = set(), []
    for index, text in enumerate(modules):
        text = re.sub(r"//[^\n]*", "", text)
        start = text.index(".visible .entry k(")
        heads.add("\n".join(line for line in text[:start].splitlines() if line.strip()))
        bodies.append(re.sub(r"\bk(?=\(|_param_\d)", f"k{index}", text[start:]))
    lines = dict.fromkeys(line for head in sorted(heads) for line in head.splitlines())
    return "\n".join(list(lines) + bodies)


class Code:
    """What a compiler made of one kernel."""

    def __init__(self, text, counts, shared, binary=None):
        self.text, self.counts, self.shared, self.binary = text, counts, shared, binary


class Triton:
    """Triton, which needs no GPU to compile."""

    def __init__(self):
        import triton
        from triton.backends.compiler import GPUTarget
        self.triton, self.target = triton, GPUTarget
        self.nvidia = Nvidia(triton)
        triton.knobs.compilation.disable_line_info = True

    def compile(self, text, case):
        target = (self.target("hip", case.target, 64) if case.is_amd
                  else self.target("cuda", case.capability, 32))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "k.ttgir")
            with open(path, "w") as file:
                file.write(text)
            try:
                made = self.triton.compile(path, target=target)
            except Exception as error:  # Triton raises RuntimeError, and errors of its own.
                raise Failed(str(error).strip()[:2000])
        if case.is_amd:
            code = made.asm["amdgcn"]
            return Code(code, counters.gcn(code)["k"], made.metadata.shared)
        return Code(made.asm["ptx"], None, made.metadata.shared, made.asm["cubin"])  # see `count`

    def count(self, codes):
        """Counts the instructions of code for one NVIDIA chip."""
        if codes:
            counts = self.nvidia.counts(self.nvidia.assemble(merge([code.text for code in codes])))
            for index, code in enumerate(codes):
                code.counts = counts[f"k{index}"]


class Mirage:
    """Our compiler: all kernels of a target in one call."""

    def __init__(self, build, nvidia):
        self.tools, self.nvidia = os.path.join(build, "bin"), nvidia

    def tool(self, name):
        return os.path.join(self.tools, name)

    def lower(self, kernels, target):
        text = "gpu.module @m {\n" + "".join(kernels) + "}\n"
        return run([self.tool("mirage-opt"), "-", f"--layout-allocate-shared=target={target}",
                    f"--convert-layout-to-llvm=target={target}"], input=text)

    def assembly(self, lowered):
        steps = ["--convert-nvvm-to-llvm"] if "nvvm" in lowered else []
        binary = run([self.tool("mirage-opt"), "-"] + steps + ["--gpu-module-to-binary=format=isa"], input=lowered)
        return run([self.tool("mirage-translate"), "-", "--gpu-binary-to-asm"], input=binary)

    def compile(self, kernels, target):
        """Code of each kernel by name."""
        lowered = self.lower(kernels, target)
        text = self.assembly(lowered)
        binary = None if target.startswith("gfx") else self.nvidia.assemble(text)
        counts = self.nvidia.counts(binary) if binary else counters.gcn(text)
        shared = {match[1]: int(match[2]) for match in
                  re.finditer(r"llvm\.func @(\w+)\(.*layout\.shared_bytes = (\d+)", lowered)}
        return {name: Code(text, counts[name], shared.get(name, 0), binary) for name in counts}
