# SPDX-License-Identifier: Apache-2.0
"""What is measured on: whether it is idle, how far its two CPUs are apart, and what it says of
itself."""

import json
import re
import tempfile
import time
from pathlib import Path

from . import Problem
from .children import Children

NEAR_NS = 250  # A cache line's round trip below this: the CPUs are near each other.
BUSY_SHARE = 0.10  # Of the CPUs' time, before the start.
MEMORY_MB = 512  # What the two largest programs that run at a time need.


def busy_share(seconds=0.5):
    """The share of all CPU time that others use meanwhile."""
    def read():
        with open("/proc/stat", encoding="ascii") as stat:
            fields = [int(field) for field in stat.readline().split()[1:9]]
        return sum(fields), fields[3] + fields[4]
    total, idle = read()
    time.sleep(seconds)
    total_later, idle_later = read()
    return 1 - (idle_later - idle) / max(1, total_later - total)


def check_idle(busy_ok, share=None):
    """The share that others use; a problem when it is too large and was not allowed."""
    share = busy_share() if share is None else share
    if share > BUSY_SHARE and not busy_ok:
        raise Problem(f"the machine is busy: others use {100 * share:.0f} % of its CPUs; stop "
                      "them, or give --busy-ok and take the figures for what they are")
    return share


def available_mb():
    text = Path("/proc/meminfo").read_text(encoding="ascii")
    values = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(values["MemAvailable"].split()[0]) // 1024


def check_memory(available=None):
    available = available_mb() if available is None else available
    if available < MEMORY_MB:
        raise Problem(f"{available} MB of memory are free, and {MEMORY_MB} MB are needed: stop "
                      "something, or give the machine more")


def cycles_per_second(text=None):
    """Of one CPU as the kernel knows it, which for a machine that is not its own is the rate of its
    TSC; None where it does not say."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8") if text is None else text
    found = re.search(r"^cpu MHz\s*: ([\d.]+)$", text, re.M)
    return float(found[1]) * 1e6 if found else None


def describe(programs, seconds=60):
    """Version and machine as the product itself states them, which also shows that it can start."""
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        path = Path(folder) / "about.json"
        with Children(Path(folder)) as children:
            child = children.start([programs / "sluice", "pingpong", "--count=10", "--no-report",
                                    f"--json={path}"])
            if child.wait(seconds) != 0:
                raise Problem(f"sluice cannot start here: {child.complaint}")
        about = json.loads(path.read_text(encoding="utf-8"))
    return about["version"], about["machine"]


def probe(programs, cpus, folder):
    """Nanoseconds that a cache line takes from one CPU to the other and back."""
    with Children(folder) as children:
        child = children.start([programs / "perf" / "bench" / "core_probe", *cpus], threads=2)
        if child.wait(60) != 0:
            raise Problem(f"core_probe failed: {child.complaint}")
        return float(child.expect(r"probe\.round_trip ([\d.]+) ns", 1)[1])
