#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every C++ file is laid out as .clang-format says; `--fix` lays them out."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import lib.house as house

FOLDERS = ("src", "include", "examples", "test", "perf")


BATCH = 32  # Starting the program takes longer than looking at a file.


def differs(*paths):
    done = subprocess.run(["clang-format", "--dry-run", "--Werror", *map(str, paths)],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return done.returncode != 0


def wrong_of(paths):
    """Those of the paths that are not laid out as they should be."""
    return [path for path in paths if differs(path)] if differs(*paths) else []


def main():
    arguments = house.parse_root(
        __doc__, **{"--fix": {"action": "store_true", "help": "rewrite the files"}})
    root = arguments.root.resolve()
    report = house.Report(root)
    if not shutil.which("clang-format"):
        print("clang-format is not installed")
        raise SystemExit(77)
    paths = house.files(root, FOLDERS)
    report.inspect(len(paths))
    if arguments.fix and paths:
        subprocess.run(["clang-format", "-i", *map(str, paths)], check=True)
    batches = [paths[first:first + BATCH] for first in range(0, len(paths), BATCH)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for wrong in pool.map(wrong_of, batches):
            for path in wrong:
                report.breach(path, "is not laid out as .clang-format says")
    report.finish("files")


if __name__ == "__main__":
    main()
