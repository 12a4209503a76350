# SPDX-License-Identifier: Apache-2.0
"""What the process tests share: starting `sluice`, reading what it says, and reporting.

A test file is run as `test_x.py SLUICE [NAME...]`. It ends only the processes that it started,
waits for words or ends and never for a time to pass, and gives up after limits that are far beyond
what is needed. Results are printed line by line and, where GTEST_OUTPUT asks for it, written as the
XML report that the project's test runner counts case by case.
"""

import argparse
import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from xml.sax.saxutils import quoteattr

EXIT_SKIPPED = 77
PROMPT = "sluice> "
SECONDS = 180  # How long anything may take that takes a second on an idle machine.
# On a busy machine a peer may wait for its CPU.
PATIENT = ("--peer-timeout=60s", "--connect-timeout=120s")

_settings = argparse.Namespace(sluice=None)


def sluice_program():
    return _settings.sluice


def use_program(path):
    """For programs other than tests: what `sluice` is."""
    _settings.sluice = Path(path).resolve()


def wait_for(condition, what, seconds=SECONDS):
    """Calls `condition` until it returns something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.02)


def memory_holds(pid, wanted):
    """Whether these bytes lie anywhere in what a process has touched of its memory."""
    touched, mapping = [], None
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        head = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            mapping = (int(head[1], 16), int(head[2], 16)) if head else None
        elif mapping and re.match(r"Rss: +[1-9]", line):
            touched.append(mapping)
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end in touched:
            try:
                memory.seek(begin)
                if wanted in memory.read(end - begin):
                    return True
            except (OSError, OverflowError):  # Not the kernel's own, such as [vvar].
                continue
    return False


def die_with_parent():
    """Runs in the child: the kernel ends it when this test ends, however that happens."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


class Process:
    """One program that a test started. Its output goes to files, so that it never blocks."""

    def __init__(self, folder, command, name, environment=None, input_pipe=False):
        self.name = name
        self.command = [str(word) for word in command]
        self.out_path = folder / f"{name}.out"
        self.err_path = folder / f"{name}.err"
        with self.out_path.open("wb") as out, self.err_path.open("wb") as err:
            self.popen = subprocess.Popen(
                self.command, cwd=folder, stdout=out, stderr=err, env=environment,
                stdin=subprocess.PIPE if input_pipe else subprocess.DEVNULL,
                preexec_fn=die_with_parent)
        self.pid = self.popen.pid

    @property
    def out(self):
        return self.out_path.read_text(encoding="utf-8", errors="replace")

    @property
    def err(self):
        return self.err_path.read_text(encoding="utf-8", errors="replace")

    def running(self):
        return self.popen.poll() is None

    def story(self):
        """All that it said, for a failure's message."""
        return (f"\n$ {' '.join(self.command)}\nended with {self.popen.poll()}\n"
                f"{self.out[-3000:]}\n{self.err[-3000:]}")

    def expect(self, pattern, seconds=SECONDS, start=0):
        """Waits until its output has the pattern; returns the match."""
        def found():
            match = re.search(pattern, self.out[start:] + "\n" + self.err)
            if match is None and not self.running():
                match = re.search(pattern, self.out[start:] + "\n" + self.err)
                if match is None:
                    raise AssertionError(f"'{pattern}' was never said by")
            return match
        try:
            return wait_for(found, f"'{pattern}'", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}{self.story()}") from None

    def wait(self, seconds=SECONDS):
        """Waits for its end and returns its exit status."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end:{self.story()}") from None

    def send(self, number):
        if self.running():
            self.popen.send_signal(number)

    def kill(self):
        """As kill -9 does, and waits for the end."""
        self.send(signal.SIGKILL)
        self.popen.wait()

    def terminate(self, seconds=SECONDS):
        """As kill does: the program is asked to end."""
        self.send(signal.SIGTERM)
        return self.wait(seconds)

    def say(self, line):
        self.popen.stdin.write((line + "\n").encode())
        self.popen.stdin.flush()

    def ask(self, line, seconds=SECONDS):
        """Gives the prompt a command and returns what it answers, which may be nothing."""
        wait_for(lambda: self.out.endswith(PROMPT), "the prompt", seconds)
        start = len(self.out)
        self.say(line)

        def answered():
            said = self.out[start:]
            return (said[:-len(PROMPT)],) if said.endswith(PROMPT) else None
        return wait_for(answered, f"an answer to '{line}'", seconds)[0]

    def counters(self, prefix=""):
        """The counters that are not zero, as the prompt shows them."""
        found = re.findall(r"^ *([\w.]+): ([\d,]+)  \(", self.ask(f"show counters {prefix}"), re.M)
        return {name: int(value.replace(",", "")) for name, value in found}

    def close(self):
        if self.popen.stdin:
            with contextlib.suppress(OSError):
                self.popen.stdin.close()
        self.kill()


class Report:
    """A --json file, read whole."""

    def __init__(self, path):
        self.whole = json.loads(Path(path).read_text(encoding="utf-8"))
        self.results = self.whole["results"]

    def values(self, metric, **labels):
        return [result["value"] for result in self.results if result["metric"] == metric and
                all(result["labels"].get(name) == value for name, value in labels.items())]

    def value(self, metric, **labels):
        found = self.values(metric, **labels)
        assert len(found) == 1, f"{metric} {labels}: {found}"
        return found[0]


class Case(unittest.TestCase):
    """A test with a folder and processes of its own, all gone when it ends."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.processes = []
        self.addCleanup(self._end)

    def _end(self):
        for process in reversed(self.processes):
            process.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def program(self, *command, name=None, **options):
        """Starts any program."""
        name = name or f"{Path(str(command[0])).name}{len(self.processes)}"
        process = Process(self.folder, command, name, **options)
        self.processes.append(process)
        return process

    def sluice(self, mode, *arguments, before=(), eal=(), name=None, **options):
        """Starts `sluice MODE ...`, behind the words of `before` (another user...). Peers
        are waited for longer than by default, unless the arguments say otherwise."""
        name = name or f"{mode}{len(self.processes)}"
        words = [*before, sluice_program(), *eal, *(["--"] if eal else []), mode, *PATIENT]
        return self.program(*words, *arguments, name=name, **options)

    def server(self, *arguments, mode="serve", **options):
        """Starts a serving end and waits until it serves. Its prompt can be asked."""
        process = self.sluice(mode, "-i", "-a", "--log-level=info", *arguments, input_pipe=True,
                              **options)
        process.expect("start-up: ")
        process.expect(PROMPT)
        return process

    def run_sluice(self, mode, *arguments, seconds=SECONDS, expect=0, **options):
        """Runs `sluice MODE ...` to its end."""
        process = self.sluice(mode, *arguments, **options)
        status = process.wait(seconds)
        if expect is not None and status != expect:
            self.fail(f"ended with {status}, not {expect}:{process.story()}")
        return process

    def key(self, size=32, name="key"):
        path = self.folder / name
        path.write_bytes(os.urandom(size))
        path.chmod(0o600)
        return f"--psk-file={path}"

    def file(self, size, name="file.bin"):
        path = self.folder / name
        path.write_bytes(os.urandom(size))
        return path

    def json_path(self, name="result"):
        return self.folder / f"{name}.json"

    def need_root(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")

    def need_program(self, *names):
        for name in names:
            if shutil.which(name) is None:
                self.skipTest(f"{name} is not installed")

    def assert_served(self, report, count, **labels):
        """An RPC report in which everything was completed and right."""
        self.assertEqual(report.value("rpc.completed", **labels), count)
        self.assertEqual(report.value("rpc.failed", **labels), 0)
        self.assertEqual(report.value("rpc.corrupt", **labels), 0)


class _Result(unittest.TestResult):
    """Prints a line for each test and remembers what the XML report needs, once for each test:
    whatever fails in it, in its set-up or in its end, makes it a failure."""

    def __init__(self):
        super().__init__()
        self.cases = []
        self.began = 0.0
        self.word = ""
        self.why = []

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()
        self.word, self.why = "ok", []

    def addSkip(self, test, reason):
        if self.word == "ok":
            self.word, self.why = "skipped", [reason]

    def addFailure(self, test, err):
        self.why = [] if self.word == "skipped" else self.why
        self.word = "FAILED"
        self.why.append(self._exc_info_to_string(err, test).strip())

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.addFailure(test, err)

    def addUnexpectedSuccess(self, test):
        self.word, self.why = "FAILED", ["was expected to fail"]

    def stopTest(self, test):
        words = test.id().split(".")
        why = "\n".join(self.why)
        seconds = time.monotonic() - self.began
        self.cases.append((words[-2], words[-1], self.word, why, seconds))
        print(f"{self.word} {words[-2]}.{words[-1]} ({seconds:.1f} s)"
              f"{': ' + why if why else ''}", flush=True)
        super().stopTest(test)

    def count(self, word):
        return sum(1 for case in self.cases if case[2] == word)

    def write_xml(self, path):
        lines = ["<testsuites><testsuite>"]
        inner = {"ok": "", "skipped": "<skipped message={0}/>", "FAILED": "<failure message={0}/>"}
        for suite, name, word, why, seconds in self.cases:
            lines.append(f"<testcase classname={quoteattr(suite)} name={quoteattr(name)} "
                         f'status="run" time="{seconds:.3f}">'
                         f"{inner[word].format(quoteattr(printable(why)))}</testcase>")
        lines.append("</testsuite></testsuites>")
        path.write_text("\n".join(lines), encoding="utf-8")


def printable(text):
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def write_report(result):
    """Where the test runner looks for reports, under the name of this program."""
    output = os.environ.get("GTEST_OUTPUT", "")
    if not output.startswith("xml:"):
        return
    program = Path(sys.argv[0]).name
    folder = Path(output[4:])
    if folder.is_dir():
        taken = sum(1 for path in folder.glob(f"{program}*.xml"))
        result.write_xml(folder / f"{program}{'_' + str(taken) if taken else ''}.xml")


def main():
    """Runs the tests of the calling file."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("sluice", type=Path)
    parser.add_argument("names", nargs="*", help="run only tests whose names contain one of these")
    parser.parse_args(namespace=_settings)
    _settings.sluice = _settings.sluice.resolve()
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    wanted = unittest.TestSuite(
        test for group in suite for test in group
        if not _settings.names or any(name in test.id() for name in _settings.names))
    result = _Result()
    wanted.run(result)
    write_report(result)
    passed, failed, skipped = (result.count(word) for word in ("ok", "FAILED", "skipped"))
    if skipped and not passed and not failed:
        reasons = {case[3] for case in result.cases}
        print(f"0 passed, 0 failed, {skipped} skipped")
        print("; ".join(sorted(reasons)))
        sys.exit(EXIT_SKIPPED)
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    sys.exit(1 if failed or not passed else 0)
