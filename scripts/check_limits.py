#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks sizes: a function has at most 70 lines, a file at most 800, a line at most 100 columns."""

import json
import shutil
import subprocess

import lib.house as house

FUNCTION_LINES = 70
FILE_LINES = 800
COLUMNS = 100
FOLDERS = ("src", "include", "examples", "test", "perf", "scripts")
SUFFIXES = house.CXX_SUFFIXES + (".py",)


def check_text(report, path):
    lines = house.read(path).split("\n")
    if len(lines) - 1 > FILE_LINES:
        report.breach(path, f"{len(lines) - 1} lines, more than {FILE_LINES}")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            report.breach(path, f"{len(line)} columns, more than {COLUMNS}", number)


def functions(paths):
    """Yields (path, name, first line, last line) of every function that ctags sees in the files."""
    ctags = shutil.which("ctags-universal") or shutil.which("ctags")
    if not ctags:
        raise SystemExit("universal-ctags is missing: scripts/setup --test installs it")
    done = subprocess.run(
        [ctags, "--output-format=json", "--fields=+ne", "--languages=C++,Python", "--map-C++=+.h",
         "--kinds-C++=f", "--kinds-Python=fm", "-L", "-", "-f", "-"],
        input="\n".join(paths), stdout=subprocess.PIPE, text=True, check=True)
    for line in done.stdout.splitlines():
        tag = json.loads(line)
        if tag.get("_type") == "tag" and "end" in tag:
            yield tag["path"], tag["name"], tag["line"], tag["end"]


def main():
    root = house.parse_root(__doc__).root.resolve()
    report = house.Report(root)
    paths = house.files(root, FOLDERS, SUFFIXES) + house.files(root, ["scripts", ".ci"], ("",))
    for path in paths:
        report.inspect()
        check_text(report, path)
    for path, name, first, last in functions([str(path) for path in paths]):
        if last - first + 1 > FUNCTION_LINES:
            report.breach(root / path, f"{name} has {last - first + 1} lines, more than "
                          f"{FUNCTION_LINES}", first)
    report.finish("files")


if __name__ == "__main__":
    main()
