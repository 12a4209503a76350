# SPDX-License-Identifier: Apache-2.0
"""Peers whose own benchmarks are in Debian: UCX and libfabric, over TCP and over shared memory."""

import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass

from . import Absent, Problem, works
from .children import Children, spoken
from .contestants import Contestant, Measured, finish

READY_SECONDS = 0.7  # Neither server says when it listens.


def installed(program):
    if shutil.which(program) is None:
        raise Absent(f"{program} is not installed (scripts/setup --peers)")
    return program


@contextmanager
def terminal():
    """Debian's ucx_perftest takes a standard input that is no terminal for the sign of MPI."""
    ours, theirs = os.openpty()
    try:
        yield theirs
    finally:
        os.close(ours)
        os.close(theirs)


def figures_of(pattern, text, streamed, quantile, mb):
    """A round trip of two latencies in microseconds, or goodput of so many bytes for each MB."""
    found = re.search(pattern, text + "\n", re.S)
    if found is None:
        raise Problem(f"what {quantile[0]} printed is not understood: {text.strip()[-100:]!r}")
    if streamed:
        return [("goodput", float(found["mb"]) * mb * 8, "bit/s", {})]
    return [("rpc.latency", 2000 * float(found["usec"]), "ns", {"quantile": quantile[1]})]


def ucx_figures(text, streamed):
    """The last table row of ucx_perftest: count, median, two means, two bandwidths, two rates."""
    row = r"overall \|.*\n\s*\d+\s+(?P<usec>[\d.]+)(?:\s+[\d.]+){3}\s+(?P<mb>[\d.]+)\s"
    return figures_of(row, text, streamed, ("ucx_perftest", "p50"), 1 << 20)


def libfabric_figures(text, streamed):
    """The row of fi_pingpong: bytes, sent, acknowledged, total, time, MB/s, and the mean."""
    row = r"usec/xfer[^\n]*\n(?:\S+\s+){5}(?P<mb>[\d.]+)\s+(?P<usec>[\d.]+)\s"
    return figures_of(row, text, streamed, ("fi_pingpong", "mean"), 1e6)


@dataclass
class Ucx(Contestant):
    """ucx_perftest's active messages; a round trip is two of its latencies, goodput is one way."""

    parts: tuple = (works.ROUND_TRIP, works.GOODPUT)
    transport: str = "tcp"

    def measure(self, work, place):
        program = installed("ucx_perftest")
        device = ["UCX_NET_DEVICES=lo"] if self.transport == "tcp" else []
        words = ["env", f"UCX_TLS={self.transport},self", *device, program]
        streamed = work.part == works.GOODPUT
        count = (place.seconds * 4e9 / work.size if streamed else
                 place.seconds * (100_000 if self.transport == "tcp" else 2_000_000))
        test = ["-t", "ucp_am_bw", "-O", work.outstanding] if streamed else ["-t", "ucp_am_lat"]
        port = ["-p", 20000 + os.getpid() % 10000]
        serve = place.pinned(1, *words, *port)
        call = place.pinned(0, *words, "127.0.0.1", *port, *test, "-s", work.size, "-n",
                            max(10, int(count)), "-w", max(5, int(count / 10)), "-f")
        with terminal() as stdin, Children(place.folder) as children:
            server = children.start(serve, terminal=stdin)
            server.settle(READY_SECONDS)
            client = children.start(call, terminal=stdin)
            finish(client, place)
            return Measured(ucx_figures(client.out, streamed),
                            [spoken(one, place.folder) for one in (serve, call)],
                            children.wait_share)


@dataclass
class Libfabric(Contestant):
    """fi_pingpong, which knows the mean alone: a round trip is two of its transfers, and goodput
    that of messages which go back and forth."""

    parts: tuple = (works.ROUND_TRIP, works.GOODPUT)
    transport: str = "tcp"

    def measure(self, work, place):
        program = installed("fi_pingpong")
        streamed = work.part == works.GOODPUT
        count = place.seconds * (2e9 / work.size if streamed else 50_000)
        words = [program, "-p", self.transport, "-e", "rdm", "-I", max(10, int(count)), "-S",
                 work.size]
        serve = place.pinned(1, *words)
        call = place.pinned(0, *words, "127.0.0.1")
        with Children(place.folder) as children:
            server = children.start(serve)
            server.settle(READY_SECONDS)
            client = children.start(call)
            finish(client, place)
            return Measured(libfabric_figures(client.out, streamed),
                            [spoken(one, place.folder) for one in (serve, call)],
                            children.wait_share)
