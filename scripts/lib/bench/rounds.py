# SPDX-License-Identifier: Apache-2.0
"""Takes the samples: all contestants of a work one after the other, work after work, and all of
that again in each round, so that whatever the machine does meanwhile befalls all of them."""

from . import Absent, PartAbsent, Problem
from .contestants import Named, NotMet
from .machine import cycles_per_second, probe
from .samples import Sample, Samples
from .works import PARTS, RATE

MOST_RESTARTS = 4  # Of one sample.


class Rounds:
    """One run of the benchmark."""

    def __init__(self, settings, contestants, place, say):
        self.settings = settings
        self.contestants = [one for one in contestants if self.wanted(one, settings)]
        self.place = place
        self.say = say
        self.samples = Samples()
        self.last_probe = None
        self.hertz = cycles_per_second()

    @staticmethod
    def wanted(contestant, settings):
        """Those that were named; else all, or in a quick run the main ones, of which none needs a
        further package."""
        if settings.contestants:
            return contestant.name in settings.contestants
        return not settings.quick or (contestant.quick and not contestant.peer)

    def probe(self):
        return probe(self.place.programs, self.place.cpus, self.place.folder)

    def run(self):
        self.last_probe = self.probe()
        for turn in range(1, self.settings.rounds + 1):
            for part in self.settings.parts:
                for work in PARTS[part]:
                    self.one_work(work, turn)
            self.peers(turn)
            self.say(f"round {turn} of {self.settings.rounds}: probe {self.last_probe:.0f} ns, "
                     f"{len(self.samples.rows)} samples")
        return self.samples

    def one_work(self, work, turn):
        for contestant in self.contestants:
            here = f"{contestant.name}, {work.part}"
            if work.part not in contestant.parts or not self.samples.absent.keys().isdisjoint(
                    (contestant.name, here)):
                continue
            try:
                self.take(contestant, turn, {work: self.measure(contestant, work)})
            except (Absent, Problem) as why:
                # Without a peer that fails the rest is still worth having; without ours it is not.
                if isinstance(why, Problem) and not contestant.peer:
                    raise
                where = here if isinstance(why, PartAbsent) else contestant.name
                self.samples.absent[where] = str(why)

    def measure(self, contestant, work):
        """Devices that plug in once, when they start, miss each other now and then."""
        for _ in range(MOST_RESTARTS):
            try:
                return contestant.measure(work, self.place)
            except NotMet:
                self.samples.restarts[contestant.name] += 1
        return contestant.measure(work, self.place)

    def peers(self, turn):
        for contestant in self.contestants:
            if isinstance(contestant, Named):
                self.take(contestant, turn, contestant.measure_all(self.place))

    def take(self, contestant, turn, by_work):
        before, self.last_probe = self.last_probe, self.probe()
        for work, measured in by_work.items():
            measured.results += [("rpc.cycles", self.hertz / value, "cycles", {})
                                 for metric, value, _, _ in measured.results
                                 if self.hertz and work.part == RATE and metric == "rpc.rate" and
                                 value > 0]
            self.samples.add(Sample(contestant.name, work, turn, (before, self.last_probe),
                                    measured))
