# SPDX-License-Identifier: Apache-2.0
"""What the checks of the house share: the floors, the sources, and how breaches are reported."""

import argparse
import re
import sys
from pathlib import Path

FLOORS = {
    "base": 0,
    "wire": 1, "trace": 1,
    "crypto": 2, "pacing": 2,
    "transport": 3,
    "kv": 4, "rtc": 4, "inc": 4, "diagnose": 4,
    "engine": 5, "sim": 5, "host": 5, "device": 5,
    "api": 6,
    "cli": 7,
}
# These are told the time and given their randomness; they never reach for the outside world.
PURE = frozenset(name for name, floor in FLOORS.items() if floor <= 4) | {"sim"}
NO_FLOATING_POINT = ("wire", "crypto", "transport")

CXX_SUFFIXES = (".cc", ".h")


def parse_root(description, **extra):
    """Reads `--root DIR` (default: this tree) and the positional arguments that `extra` names."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    for name, options in extra.items():
        parser.add_argument(name, **options)
    return parser.parse_args()


def files(root, folders, suffixes=CXX_SUFFIXES):
    """The files under the folders which exist, in a stable order."""
    found = []
    for folder in folders:
        found += [path for path in (root / folder).rglob("*")
                  if path.suffix in suffixes and path.is_file()]
    return sorted(found)


def read(path):
    return path.read_text(encoding="utf-8", errors="replace")


_NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",
    re.DOTALL)


def code_only(text):
    """The text with comments and literals blanked out; every line keeps its number."""
    return _NOISE.sub(lambda match: "\n" * match.group().count("\n") or " ", text)


class Report:
    """Collects breaches; a check that looked at nothing has failed, too."""

    def __init__(self, root):
        self.root = root
        self.breaches = []
        self.inspected = 0

    def inspect(self, count=1):
        self.inspected += count

    def breach(self, path, message, line=None):
        where = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        self.breaches.append(f"{where}{f':{line}' if line else ''}: {message}")

    def finish(self, what):
        """Prints the outcome and ends the program with it."""
        for breach in self.breaches:
            print(breach)
        print(f"{len(self.breaches)} breaches in {self.inspected} {what}")
        if not self.inspected:
            print("nothing was there to check")
        sys.exit(1 if self.breaches or not self.inspected else 0)
