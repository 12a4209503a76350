# SPDX-License-Identifier: Apache-2.0
"""Which figures are shown, and how they are written."""

from dataclasses import dataclass, field

from . import works

RATE_UNITS = ((1e6, "M/s"), (1e3, "K/s"), (1, "/s"))


@dataclass(frozen=True)
class Figure:
    """One column of a table: a metric of a work."""

    title: str
    work: works.Work
    metric: str
    labels: dict = field(default_factory=dict)


def scaled(value, units):
    scale, unit = next((entry for entry in units if value >= entry[0]), units[-1])
    value /= scale
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}"


def _first(part):
    return works.PARTS[part][0]


def size_text(size):
    for unit, letter in ((works.MEGABYTE, "M"), (1024, "K")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {letter}B"
    return f"{size} B"


MAIN = (
    Figure("round trip p50", _first(works.ROUND_TRIP), "rpc.latency", {"quantile": "p50"}),
    Figure("p99", _first(works.ROUND_TRIP), "rpc.latency", {"quantile": "p99"}),
    Figure("RPCs/s", _first(works.RATE), "rpc.rate"),
    Figure("cycles each", _first(works.RATE), "rpc.cycles"),
    *(Figure(size_text(work.size), work, "goodput") for work in works.PARTS[works.GOODPUT]),
)
DEVICES = (
    Figure("round trip p50", _first(works.DEVICE), "raw.one_outstanding", {"quantile": "p50"}),
    Figure("p99", _first(works.DEVICE), "raw.one_outstanding", {"quantile": "p99"}),
    Figure("60 going round", _first(works.DEVICE), "raw.sixty_outstanding.rate"),
    Figure("one way, 1400 B", _first(works.DEVICE), "raw.one_way_1400"),
)
HEAD_OF_LINE = (
    Figure("round trip p50", _first(works.HEAD_OF_LINE), "rpc.latency", {"quantile": "p50"}),
    Figure("p99", _first(works.HEAD_OF_LINE), "rpc.latency", {"quantile": "p99"}),
    Figure("of the 1 MB messages", _first(works.HEAD_OF_LINE), "beside.goodput"),
)


HEAD_OF_LINE_LOSS = tuple(
    Figure(one.title, _first(works.HEAD_OF_LINE_LOSS), one.metric, one.labels)
    for one in HEAD_OF_LINE)
CAPACITY_SHARE = (
    Figure("at most", _first(works.CAPACITY_SHARE), "rpc.capacity"),
    Figure("p99", _first(works.CAPACITY_SHARE), "rpc.latency", {"quantile": "p99"}),
    Figure("short: p50", _first(works.CAPACITY_SHARE), "short.latency", {"quantile": "p50"}),
    Figure("p99", _first(works.CAPACITY_SHARE), "short.latency", {"quantile": "p99"}),
    Figure("p99 slowdown", _first(works.CAPACITY_SHARE), "short.slowdown", {"quantile": "p99"}),
)


def by_load(quantile):
    return tuple(Figure(scaled(work.load, RATE_UNITS), work, "rpc.latency", {"quantile": quantile})
                 for work in works.PARTS[works.LATENCY_BY_LOAD])


# Tables of their own: a column for each work.
SERIES = {
    "p50 by load": ("p50 by offered load, 64 B RPCs", by_load("p50")),
    "p99 by load": ("p99 by offered load, 64 B RPCs", by_load("p99")),
    works.RATE_BY_SIZE: ("RPCs/s by size, 60 outstanding", tuple(
        Figure(size_text(work.size), work, "rpc.rate")
        for work in works.PARTS[works.RATE_BY_SIZE])),
    works.RATE_BY_OUTSTANDING: ("64 B RPCs/s by number outstanding", tuple(
        Figure(str(work.outstanding), work, "rpc.rate")
        for work in works.PARTS[works.RATE_BY_OUTSTANDING])),
    "rate by workload": ("RPCs/s by workload, 60 outstanding", tuple(
        Figure(work.workload, work, "rpc.rate") for work in works.PARTS[works.WORKLOAD])),
    "goodput by workload": ("goodput by workload, both ways, 60 outstanding", tuple(
        Figure(work.workload, work, "goodput") for work in works.PARTS[works.WORKLOAD])),
    works.GOODPUT_BY_SIZE: ("goodput by size of message", tuple(
        Figure(size_text(work.size), work, "goodput")
        for work in works.PARTS[works.GOODPUT_BY_SIZE])),
}


def value_text(metric, value):
    """Three digits that mean something, and the unit."""
    if metric == "rpc.cycles":
        return f"{value:,.0f}"
    if metric == "short.slowdown":
        return f"{value:.1f} times"
    if metric in ("rpc.latency", "short.latency", "raw.one_outstanding", "record.time"):
        return scaled(value, ((1e6, "ms"), (1e3, "us"), (1, "ns")))
    if "goodput" in metric or metric == "raw.one_way_1400":
        return scaled(value, ((1e9, "Gb/s"), (1e6, "Mb/s"), (1, "b/s")))
    return scaled(value, RATE_UNITS)
