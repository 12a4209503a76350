# SPDX-License-Identifier: Apache-2.0
"""Who is measured. Each contestant carries a work for one sample, by commands that are kept with
the figures, or says in one line why it is not here."""

import json
import os
import re
from contextlib import nullcontext
from dataclasses import dataclass

from . import Absent, Problem, works
from .children import Children, spoken
from .networks import LossyLoopback

START_SECONDS = 60  # For a server to be ready.
SPARE_SECONDS = 60  # Beyond the measured time, for a program to end.
EXIT_ABSENT = 77
# What a client says whose net_memif found no way to the server's.
NO_PEER = re.compile(r"no answer from the peer|no port, no peer")

LOADED = (works.ROUND_TRIP, works.RATE, works.RATE_BY_SIZE, works.RATE_BY_OUTSTANDING)
STREAMED = (works.GOODPUT, works.GOODPUT_BY_SIZE)
ALL_TRAFFIC = LOADED + STREAMED
MIXED_TRAFFIC = (*ALL_TRAFFIC, works.HEAD_OF_LINE, works.HEAD_OF_LINE_LOSS,
                 works.LATENCY_BY_LOAD, works.WORKLOAD)


class NotMet(Problem):
    """A client and its server were started and never met."""


@dataclass
class Measured:
    """What one sample came to."""

    results: list  # Of (metric, value, unit, labels).
    commands: list[str]
    wait: float  # The share of time that its busiest threads waited for a CPU.


@dataclass
class Place:
    """Where the samples are taken."""

    programs: object  # The build folder.
    cpus: tuple[int, int]
    seconds: float
    folder: object

    @property
    def limit(self):
        return SPARE_SECONDS + 4 * self.seconds

    def pinned(self, side, program, *arguments):
        """A program on the client's (0) or the server's (1) CPU."""
        return ["taskset", "-c", self.cpus[side], program, *arguments]

    @property
    def socket(self):
        return self.folder / "memif.sock"

    def memif(self, role):
        return f"net_memif0,role={role},socket={self.socket},socket-abstract=no"

    def own(self, name):
        path = self.programs / "perf" / "bench" / name
        if not path.exists():
            raise Absent(f"{name} was not built, since its library is missing (scripts/setup "
                         "--bench, --peers)")
        return path


def read_figures(text):
    """The `name value unit` lines that the small programs print, as (metric, value, unit, labels):
    their `rpc.latency.p50` is `rpc.latency` with a label in the common form."""
    found = []
    for name, value, unit in re.findall(r"^([a-z][\w.]*) ([\d.]+) (\S+)$", text, re.M):
        metric, dot, quantile = name.rpartition(".")
        labelled = dot and quantile in ("p50", "p99")
        found.append((metric if labelled else name, float(value), unit,
                      {"quantile": quantile} if labelled else {}))
    return found


def finish(child, place):
    """Waits for the end of a client; its failure is one line."""
    status = child.wait(place.limit)
    if status == EXIT_ABSENT:
        raise Absent(child.complaint)
    if status != 0:
        kind = NotMet if NO_PEER.search(child.complaint) else Problem
        raise kind(f"{child.name} failed: {child.complaint}")


def further_options(work):
    """What `sluice` and `socket_rpc` call by the same names."""
    named = (("beside", work.beside), ("load", work.load), ("workload", work.workload))
    return [f"--{name}={value}" for name, value in named if value]


@dataclass
class Contestant:
    """One that is measured; `parts` are those that it takes part in."""

    name: str
    title: str
    parts: tuple = ALL_TRAFFIC
    cipher: str = "none"
    peer: bool = False  # Of a package that a quick run does not install.
    quick: bool = True  # Takes part in a quick run.

    def measure(self, work, place):
        raise NotImplementedError


@dataclass
class Socket(Contestant):
    """RPCs over the loopback interface: perf/bench/socket_rpc, or another program of its form."""

    program: str = "socket_rpc"
    options: tuple = ()
    connections: int = 1

    def measure(self, work, place):
        program = place.own(self.program)
        options = [*self.options]
        outstanding = work.outstanding
        if self.connections > 1:
            options.append(f"--connections={self.connections}")
            outstanding = max(1, outstanding // self.connections)
        with (LossyLoopback(work.loss) if work.loss else nullcontext()) as network, \
                Children(place.folder) as children:
            at_server, at_client = (network.inside(side) if network else ()
                                    for side in ("server", "client"))
            serve = place.pinned(1, program, "serve", *options)
            server = children.start([*at_server, *serve])
            port = server.expect(r"port (\d+)", START_SECONDS)[1]
            sizes = [] if work.workload else [f"--size={work.size}", f"--answer={work.answer}"]
            call = place.pinned(0, program, "call", *options, *sizes,
                                f"--outstanding={outstanding}", f"--seconds={place.seconds:g}",
                                *further_options(work))
            client = children.start([*at_client, *call, f"--port={port}"])
            finish(client, place)
            commands = [spoken(serve, place.folder), spoken([*call, "--port=PORT"], place.folder)]
            return Measured(read_figures(client.out), commands, children.wait_share)


@dataclass
class Device(Contestant):
    """The bare device: perf/bench/raw_device over net_memif, or net_ring within one process."""

    parts: tuple = (works.DEVICE,)
    ring: bool = False

    def eal(self, name, lcores):
        return ["-l", lcores, "--no-huge", "-m", "128", "--no-pci", "--no-telemetry",
                f"--file-prefix=bench-{os.getpid()}-{name}", "--log-level=lib.eal:error"]

    def measure(self, work, place):
        program = place.own("raw_device")
        client, server = place.cpus
        seconds = f"--seconds={place.seconds / 2:g}"
        with Children(place.folder) as children:
            if self.ring:
                said = [[program, *self.eal("ring", f"{client},{server}"),
                         f"--main-lcore={client}", "--", "ring", seconds]]
                caller = children.start(said[0], threads=2)
            else:
                said = [[program, *self.eal("server", server), f"--vdev={place.memif('server')}",
                         "--", "serve"],
                        [program, *self.eal("client", client), f"--vdev={place.memif('client')}",
                         "--", "call", seconds]]
                place.socket.unlink(missing_ok=True)
                children.start(said[0]).expect("ready", START_SECONDS)
                caller = children.start(said[1])
            finish(caller, place)
            return Measured(read_figures(caller.out),
                            [spoken(words, place.folder) for words in said], children.wait_share)


@dataclass
class Aead(Contestant):
    """The bare AEAD, and copying the same bytes: perf/bench/raw_aead on one CPU."""

    parts: tuple = (works.AEAD,)
    cipher: str = "aes-128-gcm"

    def measure(self, work, place):
        program = place.own("raw_aead")
        words = place.pinned(0, program, "--benchmark_format=json",
                             f"--benchmark_min_time={place.seconds / 10:g}")
        with Children(place.folder) as children:
            child = children.start(words)
            finish(child, place)
            taken = json.loads(child.out)["benchmarks"]
            results = [("record.time", 1e9 / one["items_per_second"], "ns",
                        dict(zip(("work", "backend", "message"), one["name"].split("/"))))
                       for one in taken]
            return Measured(results, [spoken(words, place.folder)], children.wait_share)


@dataclass
class Named(Contestant):
    """A peer that the user named: a command that writes the common form. It decides for itself what
    it carries, so it runs once a round, and each figure is placed by its labels."""

    command: str = ""
    parts: tuple = ()

    def measure_all(self, place):
        """Samples by work."""
        file = place.folder / "peer.json"
        file.unlink(missing_ok=True)
        with Children(place.folder) as children:
            child = children.start(["sh", "-c", self.command.replace("{json}", str(file))])
            if child.wait(SPARE_SECONDS + 100 * place.seconds) != 0:
                raise Problem(f"--peer {self.name} failed: {child.complaint}")
            text = file.read_text(encoding="utf-8") if file.exists() else child.out
            wait = children.wait_share
        by_work = {}
        for result in self.read(text):
            work = self.work_of(result)
            if work is not None:
                by_work.setdefault(work, []).append(result)
        if not by_work:
            raise Problem(f"--peer {self.name}: none of its figures is rpc.latency, rpc.rate or "
                          "goodput")
        return {work: Measured(results, [self.command], wait) for work, results in by_work.items()}

    def read(self, text):
        try:
            return [(str(one["metric"]), float(one["value"]), str(one["unit"]), dict(one["labels"]))
                    for one in json.loads(text)["results"]]
        except (ValueError, KeyError, TypeError):
            raise Problem(f"--peer {self.name}: its command did not write the common form "
                          "(README.md, --json)") from None

    @staticmethod
    def work_of(result):
        """A latency belongs to the round trip, a rate to the RPCs, and goodput to the messages of
        the size that its label `message` states (1 MB without one)."""
        metric, _, _, labels = result
        if metric == "rpc.latency" and labels.get("size", "all") == "all":
            return works.PARTS[works.ROUND_TRIP][0]
        if metric == "rpc.rate":
            return works.PARTS[works.RATE][0]
        if metric == "goodput":
            size = labels.get("message", str(works.MEGABYTE))
            return next((work for work in works.PARTS[works.GOODPUT] if str(work.size) == size),
                        None)
        return None
