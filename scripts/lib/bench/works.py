# SPDX-License-Identifier: Apache-2.0
"""What is measured: the parts of the benchmark, and the works that each consists of."""

from dataclasses import dataclass

MEGABYTE = 1_000_000
SINK_ANSWER = 8  # Bytes that answer a message of which only the rate counts.


@dataclass(frozen=True)
class Work:
    """One kind of traffic, which every contestant that can carries in the same way."""

    part: str
    size: int = 64
    answer: int = 64
    outstanding: int = 1
    beside: int = 0  # Bytes of one more message that is always on its way on the same connection.
    load: int = 0  # Requests per second at Poisson times; 0: as many as may be outstanding.
    workload: str = ""  # Sizes are drawn from it, instead of `size`.
    share: float = 0  # Requests at Poisson times, so much of what came through without a limit.
    loss: int = 0  # So many of a hundred packets are lost on arrival, at either side.

    @property
    def labels(self):
        if self.part in (DEVICE, AEAD):  # They have shapes and sizes of their own.
            return {"part": self.part}
        labels = {"part": self.part, "message": self.workload or str(self.size),
                  "outstanding": str(self.outstanding)}
        further = {"beside": self.beside, "load": self.load, "share": self.share,
                   "loss": f"{self.loss} %" if self.loss else ""}
        return {**labels, **{name: str(value) for name, value in further.items() if value}}


def echo(part, size, outstanding):
    return Work(part, size, size, outstanding)


def stream(part, size):
    """Long messages one way; as many on their way as keep a connection busy."""
    return Work(part, size, SINK_ANSWER, 4 if size < 4 * MEGABYTE else 2)


SIZES = (16, 64, 256, 1024, 4096)
OUTSTANDING = (1, 2, 4, 8, 16, 32, 60, 120, 240)
LOADS = (100_000, 500_000, 1_000_000, 2_000_000, 3_000_000, 4_000_000)
WORKLOADS = ("W1", "W2", "W3", "W4", "W5")
SHARE = 0.8  # Of the capacity.
LOSS = 1  # Of a hundred packets.
MOST_OUTSTANDING = 4096  # Where the load alone decides how many there are.
LONG_SIZES = (4096, 16_384, 65_536, 262_144, MEGABYTE, 8 * MEGABYTE)

ROUND_TRIP = "round-trip"
RATE = "rate"
GOODPUT = "goodput"
DEVICE = "device"
AEAD = "aead"
HEAD_OF_LINE = "head-of-line"
HEAD_OF_LINE_LOSS = "head-of-line-loss"
LATENCY_BY_LOAD = "latency-by-load"
CAPACITY_SHARE = "capacity-share"
WORKLOAD = "workloads"
RATE_BY_SIZE = "rate-by-size"
RATE_BY_OUTSTANDING = "rate-by-outstanding"
GOODPUT_BY_SIZE = "goodput-by-size"

PARTS = {
    ROUND_TRIP: (echo(ROUND_TRIP, 64, 1),),
    RATE: (echo(RATE, 64, 60),),
    GOODPUT: (stream(GOODPUT, MEGABYTE), stream(GOODPUT, 8 * MEGABYTE)),
    DEVICE: (Work(DEVICE),),
    AEAD: (Work(AEAD),),
    HEAD_OF_LINE: (Work(HEAD_OF_LINE, beside=MEGABYTE),),
    HEAD_OF_LINE_LOSS: (Work(HEAD_OF_LINE_LOSS, beside=MEGABYTE, loss=LOSS),),
    CAPACITY_SHARE: (Work(CAPACITY_SHARE, outstanding=MOST_OUTSTANDING, workload="W3",
                          share=SHARE),),
    WORKLOAD: tuple(Work(WORKLOAD, outstanding=60, workload=name) for name in WORKLOADS),
    LATENCY_BY_LOAD: tuple(Work(LATENCY_BY_LOAD, outstanding=MOST_OUTSTANDING, load=load)
                           for load in LOADS),
    RATE_BY_SIZE: tuple(echo(RATE_BY_SIZE, size, 60) for size in SIZES),
    RATE_BY_OUTSTANDING: tuple(echo(RATE_BY_OUTSTANDING, 64, count) for count in OUTSTANDING),
    GOODPUT_BY_SIZE: tuple(stream(GOODPUT_BY_SIZE, size) for size in LONG_SIZES),
}
QUICK_PARTS = (ROUND_TRIP, RATE, GOODPUT, DEVICE, AEAD)
