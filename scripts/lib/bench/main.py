# SPDX-License-Identifier: Apache-2.0
"""From the command line to the results, or to one line that says what to change."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from . import Problem, catalogue, machine, page, report, settings, table
from .contestants import Place
from .rounds import Rounds

EXIT_PROBLEM = 2
EXIT_INTERRUPTED = 130
PROGRAMS = ("core_probe", "raw_device", "raw_aead", "socket_rpc")


def say(text):
    print(text, flush=True)


def carry_out(*step):
    done = subprocess.run([settings.ROOT / step[0], *step[1:]], check=False,
                          stdin=subprocess.DEVNULL)
    return done.returncode == 0


def build(quick):
    """Installs what is missing and builds what is measured, all with the same flags. Peers that
    cannot be installed say so when it is their turn."""
    if not quick:
        carry_out("scripts/setup", "--peers")
    # A build that was configured before a library was there has to look for it again.
    own = settings.ROOT / "build" / "perf" / "bench"
    again = [] if all((own / name).exists() for name in PROGRAMS) else ["-Dperf=enabled"]
    for step in (["scripts/setup", "--bench"], ["scripts/build"],
                 ["scripts/build", "--target", "bench-programs", *again]):
        if not carry_out(*step):
            raise Problem(f"{' '.join(step)} failed; what it said is above")


def measure(given, folder):
    """Everything up to the first word of the result."""
    contestants = [*catalogue.own(), *catalogue.named(given.peers)]
    machine.check_memory()
    busy = machine.check_idle(given.busy_ok)
    about = machine.describe(given.programs)
    place = Place(given.programs, given.cpus, given.seconds, folder)
    samples = Rounds(given, contestants, place, say).run()
    if not samples.rows:
        reasons = "; ".join(f"{name}: {why}" for name, why in samples.absent.items())
        raise Problem(f"nothing was measured{': ' + reasons if reasons else ''}; name other parts "
                      "or contestants with --only")
    return contestants, busy, about, samples


def run(words):
    given = settings.read(words, [one.name for one in catalogue.own()])
    if given.build is None:
        build(given.quick)
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        contestants, busy, about, samples = measure(given, Path(folder))
    shown = table.text(contestants, samples, busy, given.busy_ok)
    say("\n" + shown)
    given.out.mkdir(parents=True, exist_ok=True)
    report.write(given.out / "report.html", page.page(given, about, contestants, samples, shown))
    if given.json:
        report.write_json(given.json,
                          report.common_form(given, about, busy, contestants, samples))
    say(f"plots and commands: {given.out / 'report.html'}")


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, interrupt)
    try:
        run(sys.argv[1:])
    except Problem as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return EXIT_PROBLEM
    except OSError as error:
        print(f"bench: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return EXIT_PROBLEM
    except KeyboardInterrupt:
        print("bench: interrupted; nothing was written", file=sys.stderr)
        return EXIT_INTERRUPTED
    return 0
