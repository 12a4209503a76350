#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks every text of the tree: licence line first, no paths of one machine, no mirrors, no work
left undone, no trailing blanks, one newline at the end."""

import re
from pathlib import Path

import lib.house as house

SKIPPED_FOLDERS = re.compile(r"^(\.git|\.cache|build.*|__pycache__)$")
LICENSED = {".cc", ".h", ".py", ".build", ".txt", ".sh", ".lua", ".supp", ".map"}
LICENCE = "SPDX-License-Identifier: Apache-2.0"
BINARY = {".pcap", ".pcapng", ".bin", ".png"}

# The patterns are put together from pieces so that this file does not contain what it looks for.
MACHINE = re.compile(r"(^|[^A-Za-z0-9_.])/(" + "|".join(["work", "farm", "home", "root"]) + r")/")
HOSTS = re.compile("|".join(
    [re.escape(".".join(parts)) for parts in
     (("deb", "debian", "org"), ("snapshot", "debian", "org"), ("registry", "npmjs"),
      ("pypi", "org"), ("files", "pythonhosted"), ("static", "crates", "io"),
      ("proxy", "golang", "org"))]))
MARKERS = ("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")
MARKER = re.compile(r"\b(" + "|".join(MARKERS) + r")\b")


def texts(root):
    """Every text file that belongs to the project; subprojects/*/ holds downloads."""
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if any(SKIPPED_FOLDERS.match(part) for part in parts[:-1]) or not path.is_file():
            continue
        if parts[0] == "subprojects" and len(parts) > 2 and parts[1] != "packagefiles":
            continue
        if path.suffix not in BINARY and path.name != ".git":
            yield path


def wants_licence(path):
    return path.suffix in LICENSED or house.read(path).startswith("#!")


def check(report, path):
    text = house.read(path)
    lines = text.split("\n")
    if wants_licence(path) and LICENCE not in lines[1 if text.startswith("#!") else 0]:
        report.breach(path, f"does not begin with {LICENCE}", 1)
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        report.breach(path, "does not end with one newline", len(lines))
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            report.breach(path, "blanks at the end of the line", number)
        if MACHINE.search(line):
            report.breach(path, "names a path of one machine", number)
        if HOSTS.search(line):
            report.breach(path, "names a package mirror", number)
        if MARKER.search(line):
            report.breach(path, "leaves work undone", number)


def main():
    root = house.parse_root(__doc__.splitlines()[0]).root.resolve()
    report = house.Report(root)
    for path in texts(root):
        report.inspect()
        if path.name != "LICENSE":
            check(report, path)
    report.finish("texts")


if __name__ == "__main__":
    main()
