# SPDX-License-Identifier: Apache-2.0
"""What the terminal shows: medians, the machine's state beside them, and every command."""

import statistics

from . import figures, works

FAR = "~"
NOT_VALID = "!"
LEGEND = {FAR: f"{FAR} the CPUs were far from each other",
          NOT_VALID: f"{NOT_VALID} not valid: a program waited for its CPU"}
AEAD_LENGTHS = ("64", "1400", "16384")


def mark(median):
    return ("" if median.near else FAR) + ("" if median.valid else NOT_VALID)


def cell(samples, name, figure):
    median = samples.median(name, figure.work, figure.metric, figure.labels)
    what = ""
    if median is None and figure.labels.get("quantile") == "p50":  # Some know the mean alone.
        median = samples.median(name, figure.work, figure.metric, {"quantile": "mean"})
        what = " mean"
    if median is None:
        return ""
    if figure.metric != "rpc.capacity" and not samples.carried(name, figure.work):
        return "not carried"
    return figures.value_text(figure.metric, median.value) + what + mark(median)


def probe_text(probes):
    return (f"{statistics.median(probes):.0f} ns "
            f"({min(probes):.0f}..{max(probes):.0f})") if probes else ""


def aligned(rows, head):
    """The first column to the left, all others to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return ["  ".join(text.ljust(width) if i == 0 else text.rjust(width)
                      for i, (text, width) in enumerate(zip(line, widths))).rstrip()
            for line in lines]


def contestants_table(contestants, samples, columns, head):
    rows = []
    for contestant in contestants:
        cells = [cell(samples, contestant.name, figure) for figure in columns]
        if any(cells):
            rows.append([contestant.title, *cells, probe_text(samples.probes(contestant.name))])
    used = [i for i in range(1, len(columns) + 1) if any(row[i] for row in rows)]
    keep = [0, *used, len(columns) + 1]
    titles = [head, *(figure.title for figure in columns), "probe"]
    if not rows:
        return []
    return aligned([[row[i] for i in keep] for row in rows], [titles[i] for i in keep])


def aead_table(samples):
    work = works.PARTS[works.AEAD][0]
    kinds = dict.fromkeys((labels["work"], labels["backend"]) for row in samples.rows
                          if row.work == work for _, _, _, labels in row.measured.results)
    rows = []
    for kind, backend in kinds:
        cells = []
        for length in AEAD_LENGTHS:
            labels = {"work": kind, "backend": backend, "message": length}
            median = samples.median("raw-aead", work, "record.time", labels)
            cells.append("" if median is None else
                         f"{median.value:.1f} ns{mark(median)} "
                         f"({figures.value_text('goodput', int(length) * 8e9 / median.value)})")
        rows.append([backend if kind == "copy" else f"{backend}, {kind}", *cells])
    head = ["one CPU, by length", *(f"{length} B" for length in AEAD_LENGTHS)]
    return aligned(rows, head) if rows else []


def commands(contestants, samples):
    """The commands of each contestant, those of its first round."""
    lines = []
    for contestant in contestants:
        said = dict.fromkeys(command for row in samples.rows if row.contestant == contestant.name
                             and row.turn == 1 for command in row.measured.commands)
        if said:
            lines += [f"{contestant.title}:", *(f"  {command}" for command in said)]
    return lines


def text(contestants, samples, busy, allowed):
    tables = [contestants_table(contestants, samples, figures.MAIN,
                                "64 B RPCs, 60 outstanding; long messages"),
              contestants_table(contestants, samples, figures.DEVICES, "packets of 64 B"),
              aead_table(samples),
              contestants_table(contestants, samples, figures.HEAD_OF_LINE,
                                "64 B RPCs beside 1 MB messages"),
              contestants_table(contestants, samples, figures.HEAD_OF_LINE_LOSS,
                                f"the same, {works.LOSS} % of the packets lost"),
              contestants_table(contestants, samples, figures.CAPACITY_SHARE,
                                f"W3 at Poisson times, {works.SHARE:.0%} of what goes")]
    tables += [contestants_table(contestants, samples, columns, title)
               for title, columns in figures.SERIES.values()]
    lines = []
    for rows in tables:
        lines += [*rows, ""] if rows else []
    lines += [f"{name}: not here: {reason}" for name, reason in samples.absent.items()]
    lines += [f"{name}: client and server did not meet and were started anew, {count} times"
              for name, count in samples.restarts.items()]
    used = "".join(lines)
    lines += [meaning for sign, meaning in LEGEND.items() if sign in used]
    if samples.not_valid():
        lines.append(f"{samples.not_valid()} of {len(samples.rows)} samples are not valid: "
                     "programs waited for their CPUs")
    lines.append(f"probe, all samples: {probe_text(samples.probes())}; others used "
                 f"{100 * busy:.0f} % of the CPUs before the start" +
                 (" (allowed by --busy-ok)" if allowed else ""))
    return "\n".join(lines)
