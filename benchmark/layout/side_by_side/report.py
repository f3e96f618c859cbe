"""Results as Markdown."""

import collections
import datetime


MATTERS = ["barriers", "shared accesses", "shuffles", "permutes", "selects", "wavefronts", "shared bytes", "total"]
FEW = 4  # differences of so many instructions are addresses and the scheduling of them

METHOD = """\
Both compile the same kernel with and without the operation (`side_by_side/kernels.py`); the
difference is counted, in SASS of one assembler on NVIDIA and in the assembly of each
compiler's LLVM on AMD. Barriers are those of a block. What the assembler spills is left out.
Wavefronts are of all warps, counted by executing the PTX (`side_by_side/ptx.py`), which also
checks that the result is right; on AMD, and of products, nothing is executed. A count may be below 0, since the
rest of a kernel is not quite the same without the operation."""

CHOICES = """\
Where Triton has fewer of something, the reasons are of few kinds:

- Scratch. We move a tile as a whole where it fits into shared memory; Triton moves it in parts
  through a smaller scratch, with two barriers more for each part. So we need more bytes and
  fewer barriers.
- Shuffles. Within a warp we price shuffles against stores, a barrier and loads
  (`TargetDescription::costs`); Triton takes shuffles for at most one crossing of lanes and
  registers.
- Broadcasts. What all lanes load in vectors of 16 bytes is priced as a wavefront a phase, since
  no manual says that phases are merged; shuffles seem cheaper then.
- Transposes of bytes in one warp (columns and whole rows). Our plan accesses single bytes on one
  side; Triton's has fewer wavefronts and accesses. This is not resolved.
- stmatrix of rows that several lanes hold. Triton lets them write the same row at once; we
  elect one of the lanes and store vectors.
- Numbers out of bytes. We leave it to the assembler where constants live; for signed bytes
  as bf16 it makes one of a byte permute again before each use.
- Which registers are neighbours. Vectors want neighbouring registers on both sides of shared
  memory, matrix instructions do not; what the producer and the consumer of a tile want is not
  known to the plan, which counts half a move a word."""


GROUPS = [(kind, vendor, vendor == "AMD") for kind in ("conversion", "reduction", "product") for vendor in ("NVIDIA", "AMD")]


def figures(side):
    """The counts that are compared."""
    counts = side.counts
    result = {"barriers": counts["barriers"],
              "shared accesses": sum(counts[kind] for kind in ("stores", "loads", "matrix stores", "matrix loads"))}
    result |= {kind: counts[kind] for kind in ("shuffles", "permutes", "selects")}
    if side.wavefronts is not None:
        result["wavefronts"] = side.wavefronts
    return result | {"shared bytes": side.shared, "total": counts["total"]}


def accesses(side):
    """Such as "4 x 128 st, 4 x 128 ldmatrix"."""
    names = {"stores": "st", "loads": "ld", "matrix stores": "stmatrix", "matrix loads": "ldmatrix"}
    return ", ".join(f"{count} x {bits} {names[kind]}"
                     for kind in names for (of, bits), count in sorted(side.counts.widths.items()) if of == kind)


def cell(result, kind):
    ours, theirs = figures(result.ours).get(kind), figures(result.theirs).get(kind)
    if ours is None:
        return ""
    return f"{ours} / {theirs}" if (ours, theirs) != (0, 0) else ""


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return lines + ["| " + " | ".join(str(item) for item in row) + " |" for row in rows]


def summary(results):
    rows = []
    for kind in MATTERS:
        counted = [(figures(result.ours)[kind], figures(result.theirs)[kind]) for result in results
                   if kind in figures(result.ours) and kind in figures(result.theirs)]
        if counted:
            sign = collections.Counter((ours > theirs) - (ours < theirs) for ours, theirs in counted)
            rows.append([kind, sign[-1], sign[0], sign[1], *(sum(column) for column in zip(*counted))])
    return table(["count", "we have fewer", "equal", "more", "sum, ours", "sum, Triton"], rows)


def reason(ours, theirs):
    """What we have for it, from the counts."""
    if ours["shuffles"] > theirs["shuffles"] and ours["shared accesses"] < theirs["shared accesses"]:
        return "shuffles in place of a trip through shared memory"
    if "wavefronts" in ours and ours["wavefronts"] < theirs["wavefronts"]:
        return "fewer wavefronts"
    if ours["permutes"] < theirs["permutes"]:
        return "fewer permutes"
    if ours["barriers"] < theirs["barriers"]:
        return "fewer barriers"
    if ours["shared accesses"] < theirs["shared accesses"]:
        return "fewer accesses"
    return ""


def behind(results):
    """Cases where Triton needs less of something that takes time; instructions by more than a few."""
    rows = []
    for result in results:
        ours, theirs = figures(result.ours), figures(result.theirs)
        more = [kind for kind in MATTERS if kind in theirs and kind in ours and kind != "shared bytes"
                and ours[kind] - theirs[kind] > (FEW if kind == "total" else 0)]
        if more:
            counts = ", ".join(f"{kind} {ours[kind]} / {theirs[kind]}" for kind in more)
            rows.append([result.case.name, counts, reason(ours, theirs)])
    return table(["case", "ours / Triton", "we have"], rows)


def pairs(results):
    heads = ["case"] + MATTERS + ["accesses, ours", "accesses, Triton"]
    return table(heads, [[result.case.name] + [cell(result, kind) for kind in MATTERS]
                         + [accesses(result.ours), accesses(result.theirs)] for result in results])


def section(kind, vendor, results):
    lines = [f"## {kind.capitalize()}s, {vendor}", ""] + summary(results)
    left = behind(results)
    if len(left) > 2:
        lines += ["", f"Where Triton has fewer (of all instructions: by more than {FEW}):", ""] + left
    return lines + ["", "All, ours / Triton:", ""] + pairs(results) + [""]


def listed(title, rows):
    return [f"## {title}", ""] + table(["case", "reason"], rows) + [""] if rows else []


def markdown(results, comparison, options):
    both = [result for result in results if result.theirs]
    ran = [result for result in both if result.ours.is_correct is not None]
    lines = ["# Beside Triton", "",
             f"{datetime.date.today()}. `benchmark/layout/compare_triton.py{options}`. Triton "
             f"{comparison.triton.triton.__version__}, ptxas {comparison.triton.nvidia.version()} for the code of both.", "",
             f"{len(results)} cases, {len(both)} compiled by both. {len(ran)} executed: "
             f"{sum(result.ours.is_correct for result in ran)} right with ours, "
             f"{sum(result.theirs.is_correct is True for result in ran)} with Triton's.", "", METHOD, "", CHOICES, ""]
    for kind, vendor, is_amd in GROUPS:
        of = [result for result in both if result.case.is_amd == is_amd and result.case.kind == kind]
        if of:
            lines += section(kind, vendor, of)
    lines += listed("Refused by Triton", [[result.case.name, result.refusal[:120].replace("\n", " ")]
                                          for result in results if result.refusal])
    lines += listed("Not executed", [[result.case.name, result.unexecuted] for result in results if result.unexecuted])
    return "\n".join(lines)
