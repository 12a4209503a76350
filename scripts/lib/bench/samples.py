# SPDX-License-Identifier: Apache-2.0
"""What was measured, each sample with the state of the machine that it was taken in."""

import statistics
from collections import Counter
from dataclasses import dataclass

from .machine import NEAR_NS

WAIT_SHARE = 0.05  # Of a program's time, spent waiting for its CPU; more is not valid.

CARRIED_SHARE = 0.95  # Of an offered load.


@dataclass(frozen=True)
class Sample:
    """One contestant's work in one round, between two probes."""

    contestant: str
    work: object
    turn: int
    probes: tuple[float, float]
    measured: object

    @property
    def near(self):
        return max(self.probes) < NEAR_NS

    @property
    def valid(self):
        return self.measured.wait <= WAIT_SHARE

    def values(self, metric, labels):
        return [value for name, value, _, own in self.measured.results
                if name == metric and labels.items() <= own.items()]


@dataclass(frozen=True)
class Median:
    """The middle of those samples that may be compared."""

    value: float
    low: float
    high: float
    count: int
    near: bool
    valid: bool


class Samples:
    """All of them, in the order in which they were taken."""

    def __init__(self):
        self.rows = []
        self.absent = {}  # Reasons by contestant.
        self.restarts = Counter()  # Samples begun anew, since client and server did not meet.

    def add(self, sample):
        self.rows.append(sample)

    def of(self, contestant, work):
        return [row for row in self.rows if row.contestant == contestant and row.work == work]

    def contestants(self, work):
        """Names, in the order in which they were first measured."""
        return list(dict.fromkeys(row.contestant for row in self.rows if row.work == work))

    def median(self, contestant, work, metric, labels):
        """Of the near and valid samples; else of the valid ones; else of all there are."""
        rows = self.of(contestant, work)
        for near, valid in ((True, True), (False, True), (True, False), (False, False)):
            values = [value for row in rows if row.near == near and row.valid == valid
                      for value in row.values(metric, labels)]
            if values:
                return Median(statistics.median(values), min(values), max(values), len(values),
                              near, valid)
        return None

    def carried(self, contestant, work):
        """Whether the load that was offered came through; without one, whatever came is the load.
        A latency of what was not carried says only how long the queue had grown."""
        rate = self.median(contestant, work, "rpc.rate", {})
        capacity = self.median(contestant, work, "rpc.capacity", {})
        offered = work.share * capacity.value if capacity else work.load
        return rate is None or rate.value >= CARRIED_SHARE * offered

    def probes(self, contestant=None):
        return [probe for row in self.rows if contestant in (None, row.contestant)
                for probe in row.probes]

    def not_valid(self):
        return sum(not row.valid for row in self.rows)
