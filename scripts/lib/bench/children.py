# SPDX-License-Identifier: Apache-2.0
"""The programs that are measured: started ahead of others, watched, and ended in every case."""

import contextlib
import ctypes
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

from . import Problem

_LIBC = ctypes.CDLL(None)
_SET_PARENT_DEATH_SIGNAL = 1
_POLL = 0.02  # Seconds between two looks at a program that runs.


def _prepare():
    """Runs in the child. The kernel schedules by sessions, so a priority means something only in a
    session of its own, which also keeps the terminal's Ctrl-C for the benchmark to handle. Where
    the priority may not be raised, things stay as they are, and samples that had to wait say so."""
    os.setsid()
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text("-19", encoding="ascii")
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -19)
    _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def spoken(words, folder):
    """The command as a user would type it, `DIR` being any folder of theirs."""
    return shlex.join(str(word) for word in words).replace(str(folder), "DIR")


class Child:
    """One program. Its output goes to files, so that it never blocks."""

    def __init__(self, folder, words, name, threads=1, environment=None, terminal=None):
        self.words = [str(word) for word in words]
        self.threads = threads
        self._schedule = None
        self._out = folder / f"{name}.out"
        self._err = folder / f"{name}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            try:
                self._process = subprocess.Popen(
                    self.words, cwd=folder, stdout=out, stderr=err, env=environment,
                    stdin=subprocess.DEVNULL if terminal is None else terminal,
                    preexec_fn=_prepare)
            except OSError as error:
                raise Problem(f"cannot start {self.words[0]}: {error.strerror}") from None

    @property
    def out(self):
        return self._out.read_text(encoding="utf-8", errors="replace")

    @property
    def complaint(self):
        """The last line that it said, which for ours is the reason."""
        lines = self._err.read_text(encoding="utf-8", errors="replace").split("\n")
        lines = [line.strip() for line in lines + self.out.split("\n")[-4:] if line.strip()]
        return lines[-1] if lines else f"ended with {self._process.poll()} and said nothing"

    @property
    def name(self):
        """The program that was meant, not what it was started through."""
        words = self.words
        for through, count in (("ip", 4), ("taskset", 3)):
            words = words[count:] if words[0] == through else words
        return next(Path(word).name for word in words if "=" not in word and word != "env")

    def _note_schedule(self):
        """(running, waiting) nanoseconds of its busiest threads, while it is there."""
        times = []
        with contextlib.suppress(OSError, ValueError):
            for task in Path(f"/proc/{self._process.pid}/task").iterdir():
                run, wait, _ = (task / "schedstat").read_text(encoding="ascii").split()
                times.append((int(run), int(wait)))
        if times:
            times.sort(reverse=True)
            busiest = times[:self.threads]
            self._schedule = sum(run for run, _ in busiest), sum(wait for _, wait in busiest)

    @property
    def wait_share(self):
        """Of its busiest threads' time, what they waited for a CPU."""
        if self._schedule is None:
            return 0.0
        return self._schedule[1] / max(1, sum(self._schedule))

    def poll(self):
        status = self._process.poll()
        if status is None:
            self._note_schedule()
        return status

    def wait(self, seconds):
        """Its exit status; a program that does not end is a problem."""
        end = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() > end:
                raise Problem(f"{self.name} did not end within {seconds:.0f} s: is the machine "
                              "busy or out of memory?")
            time.sleep(_POLL)
        return self._process.returncode

    def expect(self, pattern, seconds):
        """Waits until it has said something; returns the match."""
        end = time.monotonic() + seconds
        while True:
            ended = self.poll() is not None
            match = re.search(pattern, self.out)
            if match:
                return match
            if ended:
                raise Problem(f"{self.name} failed: {self.complaint}")
            if time.monotonic() > end:
                raise Problem(f"{self.name} was not ready within {seconds:.0f} s")
            time.sleep(_POLL)

    def settle(self, seconds):
        """Gives a server that says nothing the time to listen."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            raise Problem(f"{self.name} failed: {self.complaint}")

    def end(self):
        """Asks it to end, and does not ask twice."""
        if self._process.poll() is None:
            self._note_schedule()
            self._process.terminate()
            try:
                self._process.wait(3)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()


class Children:
    """All programs of one sample, with their folder; none outlives the `with`."""

    def __init__(self, folder):
        self.folder = folder
        self.started = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in reversed(self.started):
            child.end()

    def start(self, words, **options):
        child = Child(self.folder, words, f"child{len(self.started)}", **options)
        self.started.append(child)
        return child

    @property
    def wait_share(self):
        return max((child.wait_share for child in self.started), default=0.0)
