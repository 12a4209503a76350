#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that each module includes only lower floors, and foreign headers stay in their rooms.

A module never includes a sibling. DPDK is for engine and device, TLS and AEAD libraries for
crypto, spdlog for api, cli and log sinks. Public headers and examples see nothing of src/.
"""

import re
from pathlib import Path

import lib.house as house

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)

PUBLIC_FLOOR = house.FLOORS["api"]
ROOMS = (
    (re.compile(r"(dpdk/)?(rte_|cmdline_parse|cmdline_rdline)"), {"engine", "device"}, "DPDK"),
    (re.compile(r"openssl/|(intel-)?ipsec-mb\.h"), {"crypto"}, "a TLS or AEAD library"),
    (re.compile(r"infiniband/"), {"engine"}, "rdma-core"),
    (re.compile(r"(spdlog|fmt)/"), {"api", "cli"}, "spdlog"),
)
IMPURE = re.compile(
    r"(chrono|thread|mutex|shared_mutex|condition_variable|future|random|iostream|fstream|ctime|"
    r"filesystem|cstdio|stdio\.h|time\.h|unistd\.h|fcntl\.h|pthread\.h|dlfcn\.h|poll\.h|"
    r"(sys|arpa|netinet|linux)/.*)$")

# What the kernel is asked about memory changes no result.
ADVICE = {("large_memory.cc", "sys/mman.h"), ("core_dumps.cc", "sys/mman.h"),
          ("core_dumps.cc", "sys/auxv.h")}


def may_include(path, module, rooms):
    return module in rooms or (rooms == {"api", "cli"} and "log_sink" in path.name)


def check_foreign(report, path, module, name, line):
    for pattern, rooms, what in ROOMS:
        if pattern.match(name) and not may_include(path, module, rooms):
            where = ", ".join(sorted(rooms))
            report.breach(path, f"includes {name}: {what} belongs to {where}", line)


def check_module_file(report, path, module, name, line):
    floor = house.FLOORS[module]
    target = name.split("/")[0]
    if ".." in Path(name).parts:
        report.breach(path, f"includes {name}: includes start at src/", line)
    elif target == "sluice" and floor < PUBLIC_FLOOR:
        report.breach(path, f"includes {name}: public headers belong to the api's floor", line)
    elif target in house.FLOORS and target != module and house.FLOORS[target] >= floor:
        report.breach(path, f"includes {name}: floor {house.FLOORS[target]} from {floor}", line)
    if module in house.PURE and IMPURE.match(name) and (path.name, name) not in ADVICE:
        report.breach(path, f"includes {name}: no clock, randomness, I/O or threads here", line)


def check_outside_file(report, path, quote, name, line):
    """Public headers and examples: the standard library, Abseil and <sluice/...> only."""
    target = name.split("/")[0]
    local = quote == '"' and target not in ("absl", "sluice")
    if target in house.FLOORS or (local and not (path.parent / name).is_file()):
        report.breach(path, f"includes {name}: src/ cannot be seen from here", line)


def main():
    root = house.parse_root(__doc__.splitlines()[0]).root.resolve()
    report = house.Report(root)
    for path in house.files(root, ["src", "include", "examples"]):
        parts = path.relative_to(root).parts
        module = parts[1] if parts[0] == "src" else None
        if parts[0] == "src" and module not in house.FLOORS:
            report.breach(path, f"{module} is no module of the house")
            continue
        report.inspect()
        text = house.read(path)
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            quote, name = match.groups()
            check_foreign(report, path, module, name, line)
            if module:
                check_module_file(report, path, module, name, line)
            else:
                check_outside_file(report, path, quote, name, line)
    report.finish("files")


if __name__ == "__main__":
    main()
