#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds and runs every test, and sums the runs into one last line.

Two builds are run one after another: the product build and, where clang is installed, one for the
fuzz targets; with --sanitizers all tests run once more under address and undefined-behaviour
sanitizers, as continuous integration does. GoogleTest programs are counted
case by case, through the XML report that GTEST_OUTPUT asks for, and Python's unittest programs by
their summary; every other Meson test counts as one.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Run:
    """One build directory and how its tests are run."""

    directory: str
    target: str
    options: list[str]
    compiler: tuple[str, str] | None = None
    timeout_multiplier: int = 2


@dataclass
class Tally:
    """What the tests of one or several runs came to."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def line(self):
        return f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"


SANITIZED = ["-Db_sanitize=address,undefined", "-Doptimization=1", "-Ddebug=false",
             "-Dcpp_args=-g1 -fno-omit-frame-pointer", "-Db_ndebug=false", "-Db_lundef=false",
             "-Dboringssl_direct=true", "-Ddebug_numbers=true", "-Dtests=enabled"]
# The largest workload and network that the slower of two programs does in seconds.
SIMULATION = ["--topology", "single16-100g", "--workload", "w3", "--load", "0.8", "--duration",
              "300us", "--policy", "hybrid", "--loss", "0.001"]
FAULT_SEEDS = 2000
PRODUCT_RUN = Run("build", "all", ["-Dtests=enabled"])
SANITIZER_RUN = Run("build-asan", "meson-test-prereq", SANITIZED + ["-Dwerror=true"],
                    timeout_multiplier=6)
# Without precompiled headers, so that a source that forgot to include something fails here.
FUZZ_RUN = Run("build-fuzz", "meson-test-prereq",
               SANITIZED + ["-Dfuzz=enabled", "-Db_pch=false"],
               compiler=("clang", "clang++"), timeout_multiplier=6)

SANITIZER_ENVIRONMENT = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_stack_use_after_return=1:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "LSAN_OPTIONS": f"suppressions={ROOT}/test/sanitizers/lsan.supp:print_suppressions=0",
}


class Log:
    """Writes to the terminal and to the log file; `detail` goes to the file alone."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.file = path.open("w", encoding="utf-8")

    def say(self, text):
        print(text, flush=True)
        self.detail(text)

    def detail(self, text):
        self.file.write(text + "\n")
        self.file.flush()


def build(run, log):
    """Brings the run's directory up to date; returns False, having said why, when it fails."""
    environment = dict(os.environ)
    if run.compiler:
        environment["CC"], environment["CXX"] = run.compiler
    wanted = json.dumps(run.options)
    marker = ROOT / run.directory / "test-options.json"
    configured = marker.is_file() and marker.read_text(encoding="utf-8") == wanted
    command = ["scripts/build", "--target", run.target, run.directory]
    command += [] if configured else run.options
    done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    if done.returncode != 0:
        log.say(done.stdout.rstrip())
        return False
    marker.write_text(wanted, encoding="utf-8")
    log.say(done.stdout.rstrip().splitlines()[-1])
    return True


def run_meson(run, log):
    """Runs the tests of a directory; returns Meson's records and the folder of XML reports."""
    directory = ROOT / run.directory
    reports = directory / "gtest-reports"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir()
    records = directory / "meson-logs" / "testlog.json"
    records.unlink(missing_ok=True)
    environment = dict(os.environ, GTEST_OUTPUT=f"xml:{reports}/", GTEST_COLOR="no")
    if run.directory != PRODUCT_RUN.directory:
        environment.update(SANITIZER_ENVIRONMENT)
    done = subprocess.run(
        ["meson", "test", "-C", str(directory), "--no-rebuild", "--print-errorlogs",
         "--num-processes", str(os.cpu_count()), "-t", str(run.timeout_multiplier)],
        cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    log.detail(done.stdout)
    if not records.is_file():
        return [], reports
    with records.open(encoding="utf-8", errors="replace") as lines:
        return [json.loads(line) for line in lines if line.strip()], reports


def skip_reason(record):
    """The last thing a skipped program said, which by this project's convention is why."""
    lines = [line.strip() for line in record.get("stdout", "").splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def read_reports(program, reports, label):
    """Sums the XML reports that the runs of one GoogleTest program left; None without any."""
    paths = [path for path in reports.glob(f"{program}*.xml")
             if path.stem == program or path.stem[len(program):].lstrip("_").isdigit()]
    if not paths:
        return None
    tally = Tally()
    for path in paths:
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            name = f"{label}: {case.get('classname')}.{case.get('name')}"
            skipped = case.find("skipped")
            if case.find("failure") is not None:
                tally.failed.append(name)
            elif skipped is not None:
                words = (skipped.get("message") or "no reason given").split("\n")
                tally.skipped.append(f"{name}: {words[-1] or ' '.join(words)}")
            elif case.get("status") != "notrun":
                tally.passed += 1
    return tally


def read_summary(record, label):
    """Counts a program of Python's unittest by its summary; None when it printed none."""
    text = record.get("stdout", "") + record.get("stderr", "")
    summary = re.search(r"^Ran (\d+) tests? in [\d.]+s\n+(OK|FAILED)(?: \((.*)\))?$", text, re.M)
    if not summary:
        return None
    numbers = dict(re.findall(r"(\w+)=(\d+)", summary.group(3) or ""))
    reasons = re.findall(r"\.\.\. skipped (['\"])(.*)\1$", text, re.M)
    tally = Tally()
    tally.skipped = [f"{label}: {reason}" for _, reason in reasons]
    tally.skipped += [f"{label}: no reason given"] * (int(numbers.get("skipped", 0)) - len(reasons))
    tally.failed = [f"{label}: {kind} {case}" for kind, case in
                    re.findall(r"^(FAIL|ERROR): (\S+)", text, re.M)]
    tally.passed = max(0, int(summary.group(1)) - len(tally.skipped) - len(tally.failed))
    return tally


def count_one(record, label, tally):
    result = record["result"]
    if result in ("OK", "EXPECTEDFAIL"):
        tally.passed += 1
    elif result == "SKIP":
        tally.skipped.append(f"{label}: {skip_reason(record)}")
    else:
        tally.failed.append(f"{label}: {result.lower()}, return code {record.get('returncode')}")


def program_of(record):
    """The name under which a test reports: the script's, where an interpreter runs one."""
    scripts = [word for word in record["command"][:2] if word.endswith(".py")]
    return Path((scripts or record["command"])[0]).name


def count(run, records, reports):
    """Counts a run: by case where a program says what became of its cases, else by program."""
    tally = Tally()
    reported = {}
    for record in records:
        label = f"{run.directory}: {record['name'].split(' / ')[-1]}"
        program = program_of(record)
        if program not in reported:
            reported[program] = read_reports(program, reports, label)
            tally.add(reported[program] or Tally())
        cases = reported[program]
        if cases is None:
            cases = read_summary(record, label)
            tally.add(cases or Tally())
        disagrees = cases and record["result"] not in ("OK", "SKIP") and not cases.failed
        if cases is None or disagrees:
            count_one(record, label, tally)
    return tally


def commit_seed():
    """A number made of the commit, so that each one is tried with faults of its own."""
    done = subprocess.run(["git", "rev-parse", "--short=8", "HEAD"], cwd=ROOT, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    return int(done.stdout.strip() or "1", 16)


def break_promises(log):
    """Runs the fault machine with the commit's seeds, on all CPUs."""
    program = ROOT / PRODUCT_RUN.directory / "sluice-sim"
    parts = os.cpu_count() or 1
    seeds = -(-FAULT_SEEDS // parts)
    first = commit_seed()
    runs = []
    for part in range(parts):
        words = ["faults", "--seeds", str(seeds), "--first-seed", str(first + part * seeds),
                 "--shrink", str(ROOT / PRODUCT_RUN.directory / f"failed-{part}.faults")]
        runs.append(subprocess.Popen([program, *words], stdin=subprocess.DEVNULL, text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
    tally = Tally()
    for part, run in enumerate(runs):
        text = run.communicate()[0].rstrip()
        log.detail(text)
        log.say(f"faults: {text.splitlines()[-1] if text else 'nothing was said'}")
        if run.returncode == 0:
            tally.passed += 1
        else:
            log.say(text)
            tally.failed.append(f"faults: seeds {first + part * seeds} and on break a promise")
    return tally


def simulate(run):
    """What a short run of the simulator prints, but for the time it took."""
    environment = dict(os.environ)
    if run.directory != PRODUCT_RUN.directory:
        environment.update(SANITIZER_ENVIRONMENT)
    done = subprocess.run([ROOT / run.directory / "sluice-sim", *SIMULATION], env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    lines = [line for line in done.stdout.splitlines() if " of CPU" not in line]
    return [f"exit status {done.returncode}", *lines]


def compare_builds(log):
    """The simulator's results must not depend on how it was compiled."""
    one, other = simulate(PRODUCT_RUN), simulate(SANITIZER_RUN)
    if one == other and one[0] == "exit status 0":
        return Tally(passed=1)
    for first, second in zip(one, other):
        if first != second:
            log.say(f"  {PRODUCT_RUN.directory}: {first}\n  {SANITIZER_RUN.directory}: {second}")
    return Tally(failed=["sluice-sim: the optimised and the sanitized program differ"])


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--fast", action="store_true", help="run the product build alone")
    which.add_argument("--sanitizers", action="store_true",
                       help="run all of it once more under address and undefined-behaviour "
                       "sanitizers")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    started = time.monotonic()
    log = Log(ROOT / PRODUCT_RUN.directory / "test.log")
    runs = [PRODUCT_RUN]
    if arguments.sanitizers:
        runs.append(SANITIZER_RUN)
    if not arguments.fast:
        if shutil.which("clang++"):
            runs.append(FUZZ_RUN)
        else:
            log.say("the fuzz targets are left out: clang is not installed")
    total = Tally()
    for run in runs:
        if build(run, log):
            tally = count(run, *run_meson(run, log))
            log.say(f"{run.directory}: {tally.line()}")
            total.add(tally)
        else:
            total.failed.append(f"{run.directory}: does not build")
    if not arguments.fast and (ROOT / PRODUCT_RUN.directory / "sluice-sim").exists():
        total.add(break_promises(log))
    if arguments.sanitizers and (ROOT / SANITIZER_RUN.directory / "sluice-sim").exists():
        total.add(compare_builds(log))
    for skip in total.skipped:
        log.say(f"skipped: {skip}")
    for failure in total.failed:
        log.say(f"FAILED: {failure}")
    log.say(f"{time.monotonic() - started:.0f} s; the full log is {log.path.relative_to(ROOT)}")
    log.say(total.line())
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main())
