# SPDX-License-Identifier: Apache-2.0
"""The command line of `scripts/bench`, checked before anything is built or run."""

import argparse
import os
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from . import Problem, works

ROOT = Path(__file__).resolve().parents[3]
MOST_SECONDS = 600
MOST_ROUNDS = 1000


@dataclass
class Settings:
    """What was asked for."""

    quick: bool
    rounds: int
    seconds: float
    cpus: tuple[int, int]  # The client's and the server's.
    parts: list[str]
    contestants: list[str]  # Empty: all.
    peers: dict[str, str] = field(default_factory=dict)  # Commands by name.
    json: Path | None = None
    out: Path = ROOT / "build" / "bench"
    build: Path | None = None
    busy_ok: bool = False
    words: list[str] = field(default_factory=list)

    @property
    def programs(self):
        """The build folder that programs are taken from."""
        return self.build or ROOT / "build"

    @property
    def command(self):
        return shlex.join(["scripts/bench", *self.words])


class Parser(argparse.ArgumentParser):
    """An error is one line, like all others of this program."""

    def error(self, message):
        raise Problem(f"{message}; see --help")


def parser():
    made = Parser(prog="scripts/bench", allow_abbrev=False, description=(
        "Measures Sluice beside the raw device, the raw AEAD, TCP, TLS and other peers, in one run "
        "on one machine, and prints medians."))
    made.add_argument("--quick", action="store_true", help="the main figures only: within three "
                      "minutes once built")
    made.add_argument("--json", type=Path, metavar="FILE",
                      help="write all samples in the common form")
    made.add_argument("--out", type=Path, metavar="FOLDER",
                      help="where the page with plots is written (default: build/bench)")
    made.add_argument("--only", action="append", default=[], metavar="NAME",
                      help="a part or a contestant; may be repeated. Parts: " +
                      ", ".join(works.PARTS))
    made.add_argument("--peer", action="append", default=[], metavar="NAME='CMD'",
                      help="another contestant: a command that prints the common form, or writes "
                      "it to the file that stands for {json} in it; may be repeated")
    made.add_argument("--rounds", type=int, help="samples of everything (default 5, quick 3)")
    made.add_argument("--seconds", type=float, help="of each sample (default 2, quick 0.7)")
    made.add_argument("--cpus", metavar="CLIENT,SERVER",
                      help="the two CPUs (default: the second and the first that may be used)")
    made.add_argument("--busy-ok", action="store_true",
                      help="measure on a busy machine, too, and mark the result so")
    made.add_argument("--build", type=Path, metavar="DIR",
                      help="take the programs of this build as they are; install and build nothing")
    return made


def cpus_of(text):
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise Problem("two CPUs are needed, and one may be used here: allow another one (taskset, "
                      "cpuset)")
    if text is None:
        return allowed[1], allowed[0]
    try:
        client, server = (int(word) for word in text.split(","))
    except ValueError:
        raise Problem(f"--cpus={text}: name two CPUs, such as 1,0") from None
    for cpu in (client, server):
        if cpu not in allowed:
            raise Problem(f"--cpus={text}: CPU {cpu} may not be used here; choose from "
                          f"{','.join(map(str, allowed))}")
    if client == server:
        raise Problem(f"--cpus={text}: client and server need a CPU each")
    return client, server


def peers_of(entries, taken):
    peers = {}
    for entry in entries:
        name, equals, command = entry.partition("=")
        if not equals or not name or not command.strip():
            raise Problem(f"--peer {shlex.quote(entry)}: write NAME='CMD'")
        if name in taken or name in peers or name in works.PARTS:
            raise Problem(f"--peer {name}: that name is taken; choose another")
        try:
            program = shlex.split(command)[0]
        except ValueError as error:
            raise Problem(f"--peer {name}: {error} in its command") from None
        if shutil.which(program) is None:
            raise Problem(f"--peer {name}: there is no program {program}: install it, or name it "
                          "by its path")
        peers[name] = command
    return peers


def check_file(path):
    """A result that cannot be written must not be found out after an hour."""
    if path.is_dir():
        raise Problem(f"--json={path} is a folder: name a file")
    if not path.absolute().parent.is_dir():
        raise Problem(f"--json={path}: there is no such folder; make it first")
    if not os.access(path.absolute().parent, os.W_OK):
        raise Problem(f"--json={path}: the folder cannot be written to")


def number(given, name, otherwise, least, most):
    value = otherwise if given is None else given
    if not least <= value <= most:
        raise Problem(f"--{name}={value:g}: choose from {least:g} to {most:g}")
    return value


def selection(only, known, quick):
    """The parts and the contestants that were named; no contestant named means all."""
    for name in only:
        if name not in works.PARTS and name not in known:
            raise Problem(f"--only={name}: choose a part ({', '.join(works.PARTS)}) or a "
                          f"contestant ({', '.join(known)})")
    parts = [name for name in works.PARTS if name in only]
    if not parts:
        parts = list(works.QUICK_PARTS if quick else works.PARTS)
    return parts, [name for name in known if name in only]


def read(words, contestants):
    """`contestants` are the names that the benchmark itself has."""
    given = parser().parse_args(words)
    peers = peers_of(given.peer, contestants)
    parts, chosen = selection(given.only, [*contestants, *peers], given.quick)
    if given.json:
        check_file(given.json)
    if given.build and not (given.build / "build.ninja").exists():
        raise Problem(f"--build={given.build}: that is no build folder; leave it out to build one")
    settings = Settings(
        quick=given.quick,
        rounds=number(given.rounds, "rounds", 3 if given.quick else 5, 1, MOST_ROUNDS),
        seconds=number(given.seconds, "seconds", 0.7 if given.quick else 2, 0.01, MOST_SECONDS),
        cpus=cpus_of(given.cpus), parts=parts, contestants=chosen, peers=peers, json=given.json,
        build=given.build and given.build.absolute(), busy_ok=given.busy_ok, words=list(words))
    if given.out:
        settings.out = given.out
    return settings
