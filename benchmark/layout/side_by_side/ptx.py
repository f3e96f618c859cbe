"""Executes straight-line PTX, all threads of a block in lockstep.

What the code of a conversion is made of is here, for both compilers alike: integer and
byte arithmetic, forward branches, and accesses to global and shared memory with matrix
loads and stores and shuffles. An unknown instruction is an error. Wavefronts of shared
memory are counted on 32 banks of 4 bytes; lanes that read or write the same word share it.
Lockstep sees no missing barrier.
"""

import re

import numpy as np

BANKS, WORD, WARP = 32, 4, 32
SHARED_BYTES = 1 << 18
MASKS = {bits: np.uint64(2**bits - 1) for bits in (1, 8, 16, 32, 64)}


class Unknown(Exception):
    """An instruction without a rule."""


class Machine:
    """One launch of one block. `memory` has the bytes of each argument, a pointer."""

    def __init__(self, text, kernel, memory, threads):
        self.threads, self.memory = threads, memory
        self.shared = np.zeros(SHARED_BYTES, np.uint8)
        self.registers, self.waiting = {}, {}
        self.active = np.ones(threads, bool)
        self.store_wavefronts = self.load_wavefronts = 0
        self.kernel = kernel
        for line in body(text, kernel):
            self.step(line)

    # Values.

    def read(self, name):
        name = name.strip()
        if name in self.registers:
            return self.registers[name]
        if name == "%tid.x":
            return np.arange(self.threads, dtype=np.uint64)
        if re.fullmatch(r"%(ctaid\.x|tid\.[yz]|ctaid\.[yz]|cluster_ctarank)", name):
            return np.zeros(self.threads, np.uint64)
        if name.startswith("%"):  # never written: any value may be there
            return np.zeros(self.threads, np.uint64)
        if re.fullmatch(r"-?(0x[0-9a-fA-F]+|\d+)U?", name):
            return np.full(self.threads, int(name.rstrip("U"), 0) & (2**64 - 1), np.uint64)
        if re.fullmatch(r"[A-Za-z_$][\w$]*", name):  # the start of shared memory
            return np.zeros(self.threads, np.uint64)
        raise Unknown(f"operand {name}")

    def write(self, name, value, bits, where=None):
        name = name.strip()
        if name == "_":
            return
        where = self.active if where is None else where & self.active
        old = self.registers.get(name, np.zeros(self.threads, np.uint64))
        self.registers[name] = np.where(where, value.astype(np.uint64) & MASKS[bits], old)

    def signed(self, name, bits):
        value = self.read(name) & MASKS[bits]
        shift = np.uint64(64 - bits)
        return (value << shift).astype(np.int64) >> np.int64(64 - bits)

    # Control.

    def step(self, line):
        if line.endswith(":"):
            back = self.waiting.pop(line[:-1], None)
            if back is not None:
                self.active = self.active | back
            return
        predicate = None
        if match := re.match(r"@(!?)(%\w+)\s+(.*)", line):
            predicate = self.read(match[2]) != 0
            predicate, line = (~predicate if match[1] else predicate), match[3]
        opcode, _, rest = line.partition(" ")
        operands = split(rest)
        before = self.active
        if predicate is not None:
            self.active = self.active & predicate
        if opcode.startswith("bra"):
            label = operands[0]
            self.waiting[label] = self.waiting.get(label, np.zeros(self.threads, bool)) | self.active
            self.active = before & ~self.active
            return
        self.execute(opcode.split("."), operands)
        self.active = before

    def execute(self, parts, operands):
        for pattern, rule in RULES:
            if re.fullmatch(pattern, ".".join(parts)):
                rule(self, parts, operands)
                return
        raise Unknown(".".join(parts) + " " + ", ".join(operands))

    # Memory.

    def global_bytes(self, address):
        return self.memory[int(address >> np.uint64(40)) - 1], int(address & np.uint64(2**40 - 1))

    def address(self, operand):
        match = re.fullmatch(r"\[\s*([\w.%$]+)\s*(?:\+\s*(-?\w+))?\s*\]", operand)
        return self.read(match[1]) + self.read(match[2] or "0")

    def access(self, parts, operands, is_store):
        """ld and st of a vector of registers."""
        place, values = (operands[0], operands[1]) if is_store else (operands[1], operands[0])
        registers = [name.strip() for name in values.strip("{} ").split(",")]
        bits, addresses = int(re.sub(r"\D", "", parts[-1])), self.address(place)
        step = bits // 8
        if "shared" in parts:
            self.count(addresses, step * len(registers), is_store)
        for index, register in enumerate(registers):
            values = self.read(register) if is_store else np.zeros(self.threads, np.uint64)
            for thread in np.flatnonzero(self.active):
                at = addresses[thread] + np.uint64(index * step)
                data, at = (self.shared, int(at)) if "shared" in parts else self.global_bytes(at)
                if at + step > len(data):
                    raise Unknown(f"access outside memory: {'.'.join(parts)}")
                if is_store:
                    data[at:at + step] = np.frombuffer(int(values[thread]).to_bytes(8, "little")[:step], np.uint8)
                else:
                    values[thread] = int.from_bytes(data[at:at + step].tobytes(), "little")
            if not is_store:
                self.write(register, values, 64)

    def count(self, addresses, size, is_store):
        """Wavefronts of an access of `size` bytes a lane."""
        lanes = WARP // max(1, size // WORD)
        total = 0
        for start in range(0, self.threads, lanes):
            lane = range(start, min(start + lanes, self.threads))
            words = {int(addresses[thread] + np.uint64(byte)) // WORD
                     for thread in lane if self.active[thread] for byte in range(0, size, min(size, WORD))}
            total += most_in_a_bank(words)
        self.add_wavefronts(total, is_store)

    def add_wavefronts(self, total, is_store):
        if is_store:
            self.store_wavefronts += total
        else:
            self.load_wavefronts += total

    def matrix(self, parts, operands, is_store):
        """ldmatrix and stmatrix: lane 8 j + r has the address of row r of matrix j."""
        place, values = (operands[0], operands[1]) if is_store else (operands[1], operands[0])
        registers = [name.strip() for name in values.strip("{} ").split(",")]
        addresses, transposed = self.address(place), "trans" in parts
        results = [self.read(name).copy() if is_store else np.zeros(self.threads, np.uint64) for name in registers]
        for warp in range(0, self.threads, WARP):
            if not self.active[warp:warp + WARP].all():
                continue
            for number, values in enumerate(results):
                rows = [int(addresses[warp + 8 * number + row]) for row in range(8)]
                self.add_wavefronts(most_in_a_bank({row // WORD + word for row in rows for word in range(4)}), is_store)
                for lane in range(WARP):
                    for half in range(2):
                        row, column = (lane % 4 * 2 + half, lane // 4) if transposed else (lane // 4, lane % 4 * 2 + half)
                        at, shift = rows[row] + 2 * column, np.uint64(16 * half)
                        if is_store:
                            value = int(values[warp + lane] >> shift) & 0xFFFF
                            self.shared[at:at + 2] = np.frombuffer(value.to_bytes(2, "little"), np.uint8)
                        else:
                            value = int.from_bytes(self.shared[at:at + 2].tobytes(), "little")
                            values[warp + lane] |= np.uint64(value) << shift
        if not is_store:
            for name, values in zip(registers, results):
                self.write(name, values, 32)


def most_in_a_bank(words):
    banks = np.bincount([word % BANKS for word in words], minlength=BANKS) if words else [0]
    return int(max(banks))


def body(text, kernel):
    """The statements of a kernel."""
    text = re.sub(r"//[^\n]*", "", text)
    text = text[re.search(rf"\.entry {kernel}\b", text).end():]
    text = text[text.index("\n{") + 2:text.index("\n}")]
    text = re.sub(r"\{\s*\n", "\n", text)
    for line in re.split(r";|\n", text):
        line = " ".join(line.split())
        while match := re.match(r"(\$?\w+:)\s*", line):
            yield match[1]
            line = line[match.end():]
        if line and not line.startswith(".") and line != "}":
            yield line


def split(text):
    """Operands, with vectors kept together."""
    return [part.strip() for part in re.findall(r"\{[^}]*\}|\[[^\]]*\]|[^,\s][^,]*", text)]


def bits_of(part):
    return int(re.sub(r"\D", "", part)) if part != "pred" else 1


#===----------------------------------------------------------------------===#
# Rules
#===----------------------------------------------------------------------===#

RULES = []


def rule(pattern):
    def register(function):
        RULES.append((pattern, function))
        return function
    return register


@rule(r"ret|bar\.sync|barrier\.sync.*|bar\.warp\.sync|membar.*|fence.*|cvta\.to\.\w+\.u64")
def nothing(machine, parts, operands):
    if parts[0] == "cvta":
        machine.write(operands[0], machine.read(operands[1]), 64)


@rule(r"ld\.param.*")
def parameter(machine, parts, operands):
    index = int(re.search(r"_(\d+)\s*\]", operands[1])[1])
    machine.write(operands[0], np.full(machine.threads, (index + 1) << 40, np.uint64), 64)


@rule(r"(ld|st)(\.\w+)*\.(global|shared)(\.\w+)*|(ld|st)\.volatile\.\w+(\.\w+)*")
def access(machine, parts, operands):
    machine.access(parts, operands, parts[0] == "st")


@rule(r"(ldmatrix|stmatrix)\..*")
def matrix(machine, parts, operands):
    machine.matrix(parts, operands, parts[0] == "stmatrix")


@rule(r"mov\.\w+")
def move(machine, parts, operands):
    to, value = operands
    bits = bits_of(parts[-1])
    if to.startswith("{"):
        names = to.strip("{}").split(",")
        step = bits // len(names)
        for index, name in enumerate(names):
            machine.write(name, machine.read(value) >> np.uint64(index * step), step)
    elif value.startswith("{"):
        names = value.strip("{}").split(",")
        step = bits // len(names)
        total = np.zeros(machine.threads, np.uint64)
        for index, name in enumerate(names):
            total |= (machine.read(name) & MASKS[step]) << np.uint64(index * step)
        machine.write(to, total, bits)
    else:
        machine.write(to, machine.read(value), bits)


ARITHMETIC = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "shl": lambda a, b: np.where(b < 64, a << (b & np.uint64(63)), np.uint64(0)),
}


@rule(r"(add|sub|and|or|xor|shl)\.([bsu]\d+|pred)")
def arithmetic(machine, parts, operands):
    to, a, b = operands
    machine.write(to, ARITHMETIC[parts[0]](machine.read(a), machine.read(b)), bits_of(parts[-1]))


@rule(r"not\.\w+")
def invert(machine, parts, operands):
    bits = bits_of(parts[-1])
    machine.write(operands[0], ~machine.read(operands[1]) & MASKS[bits], bits)


@rule(r"neg\.\w+")
def negate(machine, parts, operands):
    machine.write(operands[0], np.uint64(0) - machine.read(operands[1]), bits_of(parts[-1]))


@rule(r"shr\.\w+")
def shift_right(machine, parts, operands):
    to, a, b = operands
    bits, amount = bits_of(parts[-1]), np.minimum(machine.read(b) & MASKS[32], np.uint64(63))
    if parts[-1].startswith("s"):
        machine.write(to, machine.signed(a, bits) >> amount.astype(np.int64), bits)
    else:
        machine.write(to, (machine.read(a) & MASKS[bits]) >> amount, bits)


@rule(r"(mul|mad)\.(lo|wide)\.\w+")
def multiply(machine, parts, operands):
    bits = bits_of(parts[-1])
    a, b = ((machine.signed(name, bits).astype(np.uint64) if parts[-1].startswith("s") else machine.read(name) & MASKS[bits])
            for name in operands[1:3])
    total = a * b + (machine.read(operands[3]) if parts[0] == "mad" else np.uint64(0))
    machine.write(operands[0], total, 2 * bits if parts[1] == "wide" else bits)


@rule(r"bfe\.\w+")
def extract(machine, parts, operands):
    to, a, start, length = operands
    start, length = int(start), int(length)
    value = (machine.read(a) >> np.uint64(start)) & np.uint64(2**length - 1)
    if parts[-1].startswith("s"):
        value = ((value << np.uint64(64 - length)).astype(np.int64) >> np.int64(64 - length)).astype(np.uint64)
    machine.write(to, value, bits_of(parts[-1]))


@rule(r"bfi\.\w+")
def insert(machine, parts, operands):
    to, a, b, start, length = operands
    mask = np.uint64((2**int(length) - 1) << int(start))
    machine.write(to, (machine.read(a) << np.uint64(int(start))) & mask | machine.read(b) & ~mask, bits_of(parts[-1]))


@rule(r"prmt\.b32")
def permute(machine, parts, operands):
    to, a, b, selector = operands
    both = machine.read(a) & MASKS[32] | machine.read(b) << np.uint64(32)
    selector, total = machine.read(selector), np.zeros(machine.threads, np.uint64)
    for index in range(4):
        nibble = selector >> np.uint64(4 * index) & np.uint64(15)
        byte = both >> ((nibble & np.uint64(7)) << np.uint64(3)) & MASKS[8]
        sign = np.where(byte & np.uint64(128), MASKS[8], np.uint64(0))
        total |= np.where(nibble & np.uint64(8), sign, byte) << np.uint64(8 * index)
    machine.write(to, total, 32)


@rule(r"shf\.(l|r)\.(wrap|clamp)\.b32")
def funnel(machine, parts, operands):
    to, low, high, amount = operands
    both = machine.read(low) & MASKS[32] | machine.read(high) << np.uint64(32)
    amount = machine.read(amount)
    amount = amount & np.uint64(31) if parts[2] == "wrap" else np.minimum(amount, np.uint64(32))
    machine.write(to, both << amount >> np.uint64(32) if parts[1] == "l" else both >> amount, 32)


@rule(r"selp\.\w+")
def select(machine, parts, operands):
    to, a, b, condition = operands
    machine.write(to, np.where(machine.read(condition) != 0, machine.read(a), machine.read(b)), bits_of(parts[-1]))


@rule(r"setp\.\w+\.\w+")
def compare(machine, parts, operands):
    to, a, b = operands
    bits = bits_of(parts[-1])
    get = machine.signed if parts[-1].startswith("s") else lambda name, _: machine.read(name) & MASKS[bits]
    a, b = get(a, bits), get(b, bits)
    results = {"eq": a == b, "ne": a != b, "lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b}
    machine.write(to, results[{"lo": "lt", "ls": "le", "hi": "gt", "hs": "ge"}.get(parts[1], parts[1])], 1)


@rule(r"cvt\.\w+\.\w+")
def widen(machine, parts, operands):
    bits = bits_of(parts[2])
    value = machine.signed(operands[1], bits) if parts[2].startswith("s") else machine.read(operands[1]) & MASKS[bits]
    machine.write(operands[0], value, bits_of(parts[1]))


def floats(machine, name):
    if name.startswith("0f"):
        return np.full(machine.threads, int(name[2:], 16), np.uint32).view(np.float32)
    return machine.read(name).astype(np.uint32).view(np.float32)


@rule(r"(add|mul|max|min)(\.rn|\.ftz)*\.f32")
def float_arithmetic(machine, parts, operands):
    to, a, b = operands[0], *(floats(machine, name) for name in operands[1:])
    function = {"add": np.add, "mul": np.multiply, "max": np.fmax, "min": np.fmin}[parts[0]]
    machine.write(to, function(a, b).view(np.uint32), 32)


@rule(r"lop3\.b32")
def lookup(machine, parts, operands):
    to, a, b, c, table = operands
    a, b, c, total = machine.read(a), machine.read(b), machine.read(c), np.zeros(machine.threads, np.uint64)
    for row in range(8):
        if int(table, 0) >> row & 1:
            total |= (a if row & 4 else ~a) & (b if row & 2 else ~b) & (c if row & 1 else ~c)
    machine.write(to, total, 32)


@rule(r"shfl\.sync\.(idx|bfly)\.b32")
def shuffle(machine, parts, operands):
    to, value, lane = operands[0].split("|")[0], *operands[1:3]
    thread = np.arange(machine.threads, dtype=np.uint64)
    lane = machine.read(lane) & np.uint64(31)
    source = thread ^ lane if parts[2] == "bfly" else thread & ~np.uint64(31) | lane
    machine.write(to, machine.read(value)[source.astype(np.int64)], 32)


@rule(r"elect\.sync")
def elect(machine, parts, operands):
    machine.write(operands[0].split("|")[-1], np.arange(machine.threads) % WARP == 0, 1)
