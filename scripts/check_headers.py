#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that each public header compiles alone, with each compiler, src/ and DPDK out of sight."""

import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lib.house as house

COMPILERS = ("g++", "clang++")
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror",
         "-fno-exceptions", "-fno-rtti"]
HEADER_LINES = 400


def compile_alone(compiler, root, header, folder):
    """Compiles a unit including the header twice; returns the errors, empty when there are none."""
    name = header.relative_to(root / "include")
    unit = Path(folder) / f"{compiler}-{str(name).replace('/', '-')}.cc"
    unit.write_text(f"#include <{name}>\n#include <{name}>\n", encoding="utf-8")
    done = subprocess.run([compiler, *FLAGS, "-I", str(root / "include"), str(unit)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    return done.stdout if done.returncode else ""


def main():
    root = house.parse_root(__doc__).root.resolve()
    report = house.Report(root)
    compilers = [name for name in COMPILERS if shutil.which(name)]
    headers = house.files(root, ["include"], (".h",))
    for header in headers:
        if house.read(header).count("\n") > HEADER_LINES:
            report.breach(header, f"a public header has at most {HEADER_LINES} lines")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [(header, compiler, pool.submit(compile_alone, compiler, root, header, folder))
                for header in headers for compiler in compilers]
        for header, compiler, job in jobs:
            report.inspect()
            if job.result():
                report.breach(header, f"does not compile alone with {compiler}:\n{job.result()}")
    report.finish(f"compilations ({', '.join(compilers)})")


if __name__ == "__main__":
    main()
