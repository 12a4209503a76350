#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that wire, crypto and transport hold no floating point, in text and in machine code.

usage: check_floating.py [MODULE=ARCHIVE...]
"""

import re
import subprocess
from pathlib import Path

import lib.house as house

TOKEN = re.compile(
    r"\b(float|double|float_t|double_t)\b|"
    r"(?<![\w.])(\d[\d']*\.\d*|\.\d+|\d[\d']*(?=[eE][-+]?\d))([eE][-+]?\d+)?[fFlL]?(?![\w.])")
ARITHMETIC = re.compile(
    r"\tv?(add|sub|mul|div|sqrt|min|max|ucomi|comi|round|fn?m(add|sub)\d+)[ps][sd]\b"
    r"|\tv?cvt\w+\b|\tf(ld|st|add|mul|div|sub|ild|istp?)\w*\s")


def check_sources(report, root):
    for path in house.files(root, [f"src/{module}" for module in house.NO_FLOATING_POINT]):
        report.inspect()
        for number, line in enumerate(house.code_only(house.read(path)).split("\n"), 1):
            match = TOKEN.search(line)
            if match and not line.lstrip().startswith("#include"):
                report.breach(path, f"floating point: {match.group().strip()}", number)


def check_archive(report, module, archive):
    """Looks for arithmetic and conversions; integers are moved through vector registers, too."""
    report.inspect()
    done = subprocess.run(["objdump", "-dC", "--no-show-raw-insn", str(archive)],
                          stdout=subprocess.PIPE, text=True, errors="replace", check=True)
    function = "?"
    seen = set()
    for line in done.stdout.splitlines():
        if line.endswith(">:"):
            function = line[line.index("<") + 1:-2]
        elif ARITHMETIC.search(line) and function not in seen:
            seen.add(function)
            report.breach(archive, f"{module}: floating-point instruction in {function}: "
                          + " ".join(line.split()[1:3]))


def main():
    arguments = house.parse_root(
        __doc__.splitlines()[0],
        archives={"nargs": "*", "metavar": "MODULE=ARCHIVE"})
    root = arguments.root.resolve()
    report = house.Report(root)
    check_sources(report, root)
    for pair in arguments.archives:
        module, _, archive = pair.partition("=")
        if module in house.NO_FLOATING_POINT:
            check_archive(report, module, Path(archive))
    report.finish("files and archives")


if __name__ == "__main__":
    main()
