#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts deliberate defects into a copy of the core, and sees whether the machines notice.

Each defect is put in alone, `sluice-sim` is built, and `sluice-sim faults` is run on it; or, where
a defect says so, test/attack's `attack_sim`, with all of its attacks. A defect is CAUGHT when that
run does not end well: a promise broken, a check that stops the process, or no end in time. The
exit status is 1 when one SURVIVED, when the text that it replaces is not found exactly once, when
it does not build, or when the program without any defect does not pass.
"""

import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from defects import DEFECTS

ROOT = Path(__file__).resolve().parents[2]
PARTS = ["src", "include", "subprojects", "meson.build", "meson_options.txt"]
SETUP = ["meson", "setup", "build", "-Dperf=disabled", "-Ddebug=false"]
# The attacker is a test, and wants the figures of perf/instructions.
PARTS_OF_TESTS = ["test", "scripts", "examples", "perf"]
PROGRAMS = {"faults": "sluice-sim", "attack": "test/attack/attack_sim"}


class Broken(Exception):
    """A defect could not be tried."""


def run(command, folder, seconds):
    """Returns the exit status and the last line of what it said; None when it did not end.

    The seconds are of processor time, so that a busy machine changes no verdict.
    """
    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))

    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=20 * seconds, preexec_fn=limit,
                              check=False)
    except subprocess.TimeoutExpired:
        return None, "no end"
    if done.returncode == -signal.SIGXCPU:
        return None, f"no end in {seconds} s"
    lines = done.stdout.strip().splitlines()
    return done.returncode, lines[-1] if lines else f"exit status {done.returncode}"


def copy_tree(folder, parts):
    for part in parts:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part)
        elif source.exists():
            shutil.copy2(source, folder / part)


def build(folder, by):
    status, said = run(["ninja", "-C", "build", PROGRAMS[by]], folder, 1800)
    if status != 0:
        raise Broken(f"does not build: {said}")


def try_program(folder, arguments, by, name=None):
    """None when every promise was kept, else what went wrong."""
    if by == "attack":
        status, said = run([f"build/{PROGRAMS[by]}", "--gtest_brief=1"], folder, arguments.timeout)
        return None if status == 0 else said
    command = ["build/sluice-sim", "faults", "--seeds", str(arguments.seeds),
               "--first-seed", str(arguments.first_seed)]
    if arguments.shrink and name:
        command += ["--shrink", str(arguments.shrink.resolve() / f"{name}.faults")]
    status, said = run(command, folder, arguments.timeout)
    return None if status == 0 else said


def try_defect(defect, folder, arguments):
    path = folder / defect.path
    good = path.read_text(encoding="utf-8")
    found = good.count(defect.old)
    if found != 1:
        raise Broken(f"its text was found {found} times in {defect.path}")
    path.write_text(good.replace(defect.old, defect.new), encoding="utf-8")
    try:
        build(folder, defect.by)
        return try_program(folder, arguments, defect.by, defect.name)
    finally:
        path.write_text(good, encoding="utf-8")


def check_texts(defects):
    lost = [defect for defect in defects
            if (ROOT / defect.path).read_text(encoding="utf-8").count(defect.old) != 1]
    for defect in lost:
        print(f"BROKEN   {defect.name}: its text is not found exactly once in {defect.path}")
    return 1 if lost else 0


def try_all(defects, folder, arguments):
    """Prints a line for each defect and returns how many were not caught."""
    failures = 0
    for defect in defects:
        started = time.monotonic()
        try:
            said = try_defect(defect, folder, arguments)
            verdict = "SURVIVED" if said is None else "CAUGHT"
        except Broken as broken:
            verdict, said = "BROKEN", str(broken)
        failures += verdict != "CAUGHT"
        print(f"{verdict:8} {defect.name:24} {time.monotonic() - started:4.0f} s  {said or ''}",
              flush=True)
    print(f"{len(defects) - failures} of {len(defects)} defects caught")
    return failures


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="NAME", action="append", help="only this one; repeatable")
    parser.add_argument("--seeds", type=int, default=200, help="seeds for each (default: 200)")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--timeout", type=int, default=120, metavar="SECONDS",
                        help="of CPU after which a run is without end (default: 120)")
    parser.add_argument("--shrink", metavar="FOLDER", type=Path,
                        help="write there the smallest run that notices each defect")
    parser.add_argument("--list", action="store_true", help="print the names, and end")
    parser.add_argument("--check", action="store_true",
                        help="only see that each text to be replaced is found exactly once")
    arguments = parser.parse_args()
    known = {defect.name for defect in DEFECTS}
    for name in arguments.only or []:
        if name not in known:
            parser.error(f"there is no defect '{name}'; --list names them")
    return arguments


def work_in(folder, defects, arguments):
    kinds = sorted({defect.by for defect in defects})
    copy_tree(folder, PARTS + (PARTS_OF_TESTS if "attack" in kinds else []))
    tests = "enabled" if "attack" in kinds else "disabled"
    status, said = run([*SETUP, f"-Dtests={tests}"], folder, 600)
    if status != 0:
        print(f"the build cannot be set up: {said}")
        return 1
    for by in kinds:
        try:
            build(folder, by)
            said = try_program(folder, arguments, by)
        except Broken as broken:
            said = str(broken)
        if said is not None:
            print(f"without any defect: {said}")
            return 1
    return 1 if try_all(defects, folder, arguments) else 0


def main():
    arguments = parse_arguments()
    # As scripts/build does: precompiled headers are cached only where this is allowed.
    os.environ.setdefault("CCACHE_SLOPPINESS", "pch_defines,time_macros")
    if arguments.list:
        print("\n".join(f"{defect.name:24} {defect.path}" for defect in DEFECTS))
        return 0
    defects = [defect for defect in DEFECTS if not arguments.only or defect.name in arguments.only]
    if arguments.check:
        return check_texts(defects)
    if arguments.shrink:
        arguments.shrink.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sluice-defects-") as folder:
        return work_in(Path(folder), defects, arguments)


if __name__ == "__main__":
    sys.exit(main())
