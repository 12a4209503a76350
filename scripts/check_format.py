#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every C++ file is laid out as .clang-format says; `--fix` lays them out."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import lib.house as house

FOLDERS = ("src", "include", "examples", "test", "perf")


def differs(path):
    done = subprocess.run(["clang-format", "--dry-run", "--Werror", str(path)],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return done.returncode != 0


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
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, wrong in zip(paths, pool.map(differs, paths)):
            if wrong:
                report.breach(path, "is not laid out as .clang-format says")
    report.finish("files")


if __name__ == "__main__":
    main()
