# SPDX-License-Identifier: Apache-2.0
"""Sluice as a contestant: two processes over net_memif or over a cable of the kernel's, or two
lcores of one process over net_ring."""

import json
import os
from contextlib import nullcontext
from dataclasses import dataclass, replace

from . import Problem, works
from .children import Children, spoken
from .contestants import (MIXED_TRAFFIC, START_SECONDS, STREAMED, Contestant, Measured, finish,
                          further_options)
from .networks import Cable

EVERYTHING = (*MIXED_TRAFFIC, works.CAPACITY_SHARE)
TIMED = (works.ROUND_TRIP, works.HEAD_OF_LINE, works.HEAD_OF_LINE_LOSS, works.LATENCY_BY_LOAD,
         works.CAPACITY_SHARE)
# A peer that waits for its CPU is not gone; what it waited is told with the figures.
PATIENT = ("--peer-timeout=30s",)
WARMUP = 300  # Of a workload whose messages may be long.
WARMUP_BYTES = 10_000_000  # At most, of long messages one after the other.
LONG = 8192
COMPARED = ("rpc.rate", "goodput", "beside.goodput", "memory.rss")
QUANTILES = ("p50", "p99")


def worst_of_short(results, quantile):
    """Of the shorter half of a workload's sizes, by tenths: that quantile of each."""
    tenths = [one["value"] for one in results
              if one["metric"] == "rpc.latency" and one["labels"]["quantile"] == quantile and
              one["labels"]["size"] != "all"]
    return tenths[:(len(tenths) + 1) // 2]


def short_figures(alone, loaded):
    """Quantiles of the tenth of the shorter half that fares worst, and against the median of the
    same tenth when one RPC follows the other."""
    usual = worst_of_short(alone, "p50")
    found = []
    for quantile in QUANTILES:
        taken = worst_of_short(loaded, quantile)
        if not taken or len(taken) != len(usual):
            raise Problem("a workload's latencies lack their tenths: measure longer (--seconds)")
        slowdowns = [one / max(1, unloaded) for one, unloaded in zip(taken, usual)]
        found += [("short.latency", max(taken), "ns", {"quantile": quantile}),
                  ("short.slowdown", max(slowdowns), "times", {"quantile": quantile})]
    return found


@dataclass
class Sluice(Contestant):
    """Two processes on net_memif, or with `ring` two lcores of one process; with `cable` over a
    veth pair and net_af_packet."""

    options: tuple = ()
    ring: bool = False
    cable: bool = False

    def traffic(self, work, place):
        mode = "stream" if work.part in STREAMED else "pingpong" if work.part in TIMED else "rate"
        words = [place.programs / "sluice", mode, f"--outstanding={work.outstanding}",
                 f"--duration={place.seconds * 1000:.0f}ms"]
        if work.workload:
            words.append(f"--warmup={WARMUP}")
        else:
            words.append(f"--size={work.size}")
            if mode == "pingpong" and work.size > LONG:
                words.append(f"--warmup={WARMUP_BYTES // work.size}")
        return words + further_options(work)

    def both(self, work):
        """What both ends are told."""
        return [*self.options, *([f"--loss={work.loss}%"] if work.loss else [])]

    def end(self, place, role, address, work, network):
        port = (f"net_af_packet0,iface={network.interfaces[role]}" if network else
                place.memif(role))
        words = [f"--port={port}", f"--address={address}/24", *PATIENT, *self.both(work)]
        return words if self.cipher == "none" else [*words, f"--psk-file={place.folder}/key"]

    def measure(self, work, place):
        if work.share:
            return self.measure_share(work, place)
        results, said, wait = self.run(work, place)
        return Measured(self.wanted(results), said, wait)

    def measure_share(self, work, place):
        """One RPC after the other, then as many as go, then a share of those at Poisson times."""
        alone = replace(work, outstanding=1, share=0)
        most = replace(work, part=works.WORKLOAD, outstanding=60, share=0)
        unloaded, _, first_wait = self.run(alone, place)
        full, _, second_wait = self.run(most, place)
        capacity = next(value for metric, value, _, _ in self.wanted(full) if metric == "rpc.rate")
        load = replace(work, share=0, load=max(1, round(work.share * capacity)))
        loaded, said, wait = self.run(load, place)
        figures = [("rpc.capacity", capacity, "RPCs/s", {}), *self.wanted(loaded),
                   *short_figures(unloaded, loaded)]
        return Measured(figures, said, max(first_wait, second_wait, wait))

    def run(self, work, place):
        """The results as the program writes them, its commands, and its waiting."""
        file = place.folder / "sluice.json"
        file.unlink(missing_ok=True)
        written = ["--no-report", f"--json={file}"]
        key = place.folder / "key"
        key.unlink(missing_ok=True)
        key.touch(mode=0o600)
        key.write_text(os.urandom(32).hex(), encoding="ascii")
        client, server = place.cpus
        with (Cable() if self.cable else nullcontext()) as network, \
                Children(place.folder) as children:
            if self.ring:
                said = [[*self.traffic(work, place), f"--cpus={client},{server}",
                         *self.both(work)]]
                caller = children.start([*said[0], *written], threads=2)
            else:
                said = [[place.programs / "sluice", "serve",
                         *self.end(place, "server", "10.0.0.1", work, network), f"--cpus={server}"],
                        [*self.traffic(work, place),
                         *self.end(place, "client", "10.0.0.2", work, network),
                         "--peer=10.0.0.1", f"--cpus={client}"]]
                inside = {side: network.inside(side) if network else ()
                          for side in ("client", "server")}
                place.socket.unlink(missing_ok=True)  # A server that was killed leaves it behind.
                children.start([*inside["server"], *said[0]]).expect("start-up: ", START_SECONDS)
                caller = children.start([*inside["client"], *said[1], *written])
            finish(caller, place)
            results = json.loads(file.read_text(encoding="utf-8"))["results"]
            return results, [spoken(words, place.folder) for words in said], children.wait_share

    def wanted(self, results):
        """The figures that contestants are compared by; and those that make them worthless."""
        values = {one["metric"]: one["value"] for one in results}
        if values["rpc.failed"] or values["rpc.corrupt"]:
            raise Problem(f"{self.name}: {values['rpc.failed']:.0f} RPCs failed and "
                          f"{values['rpc.corrupt']:.0f} were corrupt: run the command of the "
                          "benchmark's page by hand to see why")
        return [(one["metric"], one["value"], one["unit"],
                 {"quantile": one["labels"]["quantile"]} if "quantile" in one["labels"] else {})
                for one in results
                if one["metric"] in COMPARED or (
                    one["metric"] == "rpc.latency" and one["labels"]["size"] == "all" and
                    one["labels"]["quantile"] in QUANTILES)]
