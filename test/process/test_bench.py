#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/bench: the form of its results, what it refuses and how, and that nothing half done is
left behind. Most tests measure programs that only pretend; no test looks at a figure's value. And
what scripts/build --profile-guided trains the program by."""

import json
import os
import re
import signal
import sys
from pathlib import Path

import harness

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from lib.bench import (  # After the path that leads there.
    Absent, PartAbsent, Problem, catalogue, contestants, machine, networks, peers, rounds, samples,
    settings, sluice, table, works)

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
BENCH = SCRIPTS / "bench"
# A program that takes no time: what each of the real ones says, by its name and first words.
PRETENDER = f"#!{sys.executable} -IS\n" + """
import json, os, signal, sys, time
name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
if name == "core_probe":
    print("probe.round_trip 120.0 ns")
elif name == "socket_rpc" and words[0] == "serve":
    print("port 1234", flush=True)
    time.sleep(60)
elif name == "socket_rpc":
    if "--ktls" in words:
        print("this kernel does no TLS", file=sys.stderr)
        sys.exit(77)
    print("rpc.latency.p50 7000 ns\\nrpc.latency.p99 8000 ns\\nrpc.rate 1000 RPCs/s\\n"
          "goodput 5 bit/s")
elif name == "raw_device" and "serve" in words:
    print("ready", flush=True)
    time.sleep(60)
elif name == "raw_device":
    print("raw.one_outstanding.p50 250.5 ns\\nraw.one_outstanding.p99 300.5 ns\\n"
          "raw.sixty_outstanding.rate 53000000 packets/s\\nraw.one_way_1400 2e11 bit/s")
elif name == "raw_aead":
    print(json.dumps({"benchmarks": [{"name": "seal/ipsec-mb/64", "items_per_second": 2e7}]}))
elif "--size=4096" in words and not os.path.exists("met"):
    open("met", "w").close()
    sys.exit("sluice: no answer from the peer")
elif words[0] == "serve":
    print("start-up: 1 ms", flush=True)
    time.sleep(60)
else:
    latency = [{"metric": "rpc.latency", "value": value, "unit": "ns",
                "labels": {"quantile": quantile, "size": "all"}}
               for quantile, value in (("p50", 1000), ("p99", 2000), ("p999", 3000))]
    slower = 8 if any(word.startswith("--load=") for word in words) else 1
    latency += [{"metric": "rpc.latency", "value": (place + 1) * slower * value, "unit": "ns",
                 "labels": {"quantile": quantile, "size": f"{100 * place}-{100 * place + 99}"}}
                for place in range(10) for quantile, value in (("p50", 1000), ("p99", 2000))]
    results = [{"metric": metric, "value": value, "unit": unit, "labels": {}}
               for metric, value, unit in (
                   ("rpc.failed", FAILED, "RPCs"), ("rpc.corrupt", 0, "RPCs"),
                   ("rpc.rate", 4e6, "RPCs/s"), ("goodput", 1e9, "bit/s"))]
    path = next(word for word in words if word.startswith("--json=")).partition("=")[2]
    open(path, "w").write(json.dumps({"version": "9.9", "machine": {"cores": 2},
                                      "results": results + latency}))
"""
PROGRAMS = ("core_probe", "socket_rpc", "raw_device", "raw_aead")


class Bench(harness.Case):
    """Each test has a folder of pretending programs."""

    def setUp(self):
        super().setUp()
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("needs two CPUs")
        self.json = self.folder / "result.json"
        self.build = self.folder / "build"
        self.pretend()

    def pretend(self, failed=0):
        own = self.build / "perf" / "bench"
        own.mkdir(parents=True, exist_ok=True)
        (self.build / "build.ninja").touch()
        for path in (self.build / "sluice", *(own / name for name in PROGRAMS)):
            path.write_text(PRETENDER.replace("FAILED", str(failed)), encoding="utf-8")
            path.chmod(0o755)

    def start(self, *words, build=None):
        return self.program(BENCH, f"--build={build or self.build}", f"--json={self.json}",
                            f"--out={self.folder / 'out'}", *words)

    def bench(self, *words, **options):
        process = self.start("--busy-ok", "--seconds=0.05", "--rounds=2", *words, **options)
        self.assertEqual(process.wait(), 0, process.story())
        return process, harness.Report(self.json)

    def refused(self, pattern, *words, status=2):
        """One line, an exit status, and no file that could be taken for a result."""
        process = self.start(*words)
        self.assertEqual(process.wait(), status, process.story())
        self.assertRegex(process.err, pattern)
        self.assertEqual(process.err.count("\n"), 1, process.err)
        self.assert_nothing_written()

    def assert_nothing_written(self):
        self.assertFalse(self.json.exists())
        self.assertEqual([path for path in self.folder.rglob("*.part")], [])
        self.assertEqual([path for path in self.folder.rglob("report.html")], [])


class Results(Bench):
    """What a whole run writes."""

    def test_common_form(self):
        process, report = self.bench("--quick", "--only=round-trip", "--only=rate",
                                     "--only=device", "--only=aead")
        self.assertEqual(report.whole["version"], "9.9")
        self.assertIn("scripts/bench", report.whole["command"])
        medians = [one for one in report.results if one["labels"].get("statistic") == "median"]
        samples = [one for one in report.results if "round" in one["labels"]]
        self.assertEqual({one["labels"]["contestant"] for one in medians},
                         {"sluice", "sluice-plain", "sluice-no-bundling", "sluice-ring", "tcp",
                          "tcp-epoll", "tcp-60", "tls", "tls-epoll", "tls-60", "raw-memif",
                          "raw-ring", "raw-aead"})
        self.assertEqual(len(samples), 2 * len(medians))
        for one in samples:
            labels = one["labels"]
            self.assertEqual(set(one), {"metric", "value", "unit", "labels"})
            self.assertLessEqual({"contestant", "command", "cipher", "probe_ns", "state", "valid",
                                  "part"}, set(labels))
            self.assertNotIn(str(self.folder / "sluice-bench"), labels["command"])
        self.assertEqual(report.value("rpc.rate", contestant="tcp", statistic="median",
                                      part="rate"), 1000)
        self.assertEqual(report.value("rpc.latency", contestant="sluice", statistic="median",
                                      part="round-trip", quantile="p99"), 2000)
        self.assertEqual(report.value("contestant.absent", contestant="ktls"), 1)
        self.assertIn("ktls: not here: this kernel does no TLS", process.out)
        page = (self.folder / "out" / "report.html").read_text(encoding="utf-8")
        self.assertIn("<svg", page)
        self.assertIn("--cipher=plaintext", page)

    def test_rounds_take_contestants_in_turn(self):
        _, report = self.bench("--only=rate", "--only=tcp", "--only=sluice", "--only=tls")
        order = [(one["labels"]["round"], one["labels"]["contestant"]) for one in report.results
                 if one["metric"] == "rpc.rate" and "round" in one["labels"]]
        self.assertEqual(order, [(turn, name) for turn in "12"
                                 for name in ("sluice", "tls", "tcp")])

    def test_parts_by_size(self):
        process, report = self.bench("--only=rate-by-size", "--only=goodput-by-size", "--only=tcp",
                                     "--rounds=1")
        self.assertEqual(len(report.values("rpc.rate", statistic="median", part="rate-by-size")), 5)
        self.assertIn("RPCs/s by size", process.out)
        self.assertIn("polyline", (self.folder / "out" / "report.html").read_text(encoding="utf-8"))

    def test_medians_prefer_near_and_valid_samples(self):
        taken = samples.Samples()
        work = works.PARTS[works.RATE][0]
        for value, probe, wait in ((1, 120, 0), (3, 120, 0), (50, 520, 0), (70, 120, 0.5)):
            measured = contestants.Measured([("rpc.rate", value, "RPCs/s", {})], [], wait)
            taken.add(samples.Sample("tcp", work, 1, (120, probe), measured))
        median = taken.median("tcp", work, "rpc.rate", {})
        self.assertEqual((median.value, median.low, median.high, median.count), (2, 1, 3, 2))
        self.assertTrue(median.near and median.valid)
        self.assertEqual(taken.not_valid(), 1)

    def test_a_load_that_was_not_carried_has_no_latency(self):
        title, columns = table.figures.SERIES["p99 by load"]
        self.assertIn("p99", title)
        for rate, shown in ((columns[0].work.load, "7.00 us"), (10, "not carried")):
            taken = samples.Samples()
            results = [("rpc.rate", rate, "RPCs/s", {}),
                       ("rpc.latency", 7000, "ns", {"quantile": "p99"})]
            taken.add(samples.Sample("tcp", columns[0].work, 1, (120, 120),
                                     contestants.Measured(results, [], 0)))
            self.assertEqual(table.cell(taken, "tcp", columns[0]), shown)

    def test_a_share_of_the_capacity(self):
        process, report = self.bench("--only=capacity-share", "--only=sluice", "--rounds=1")
        found = {metric: report.value(metric, statistic="median", contestant="sluice", **labels)
                 for metric, labels in (("rpc.capacity", {}),
                                        ("short.latency", {"quantile": "p99"}),
                                        ("short.slowdown", {"quantile": "p99"}))}
        # Of the five shorter tenths the last is the slowest, and all are slowed down alike.
        self.assertEqual(found, {"rpc.capacity": 4e6, "short.latency": 5 * 8 * 2000,
                                 "short.slowdown": 16})
        self.assertRegex(process.out, r"W3 at Poisson times, 80% .*at most")
        commands = {one["labels"]["command"] for one in report.results
                    if "command" in one["labels"]}
        self.assertEqual(len(commands), 1)
        self.assertIn("--load=3200000", commands.pop())
        with self.assertRaisesRegex(Problem, "lack their tenths"):
            sluice.short_figures([], [])

    def test_workloads(self):
        _, report = self.bench("--only=workloads", "--only=sluice", "--only=tls", "--rounds=1")
        for contestant in ("sluice", "tls"):
            found = {one["labels"]["message"]: one["labels"]["command"] for one in report.results
                     if one["metric"] == "rpc.rate" and one["labels"]["contestant"] == contestant}
            self.assertEqual(set(found), set(works.WORKLOADS))
            for workload, command in found.items():
                self.assertIn(f"--workload={workload}", command)
                self.assertNotIn("--size", command)

    def test_cycles(self):
        self.assertEqual(machine.cycles_per_second("cpu MHz\t\t: 2500.5\n"), 2500.5e6)
        self.assertIsNone(machine.cycles_per_second("BogoMIPS : 1\n"))
        _, report = self.bench("--only=rate", "--only=tcp", "--rounds=1")
        if machine.cycles_per_second() is not None:
            self.assertGreater(report.value("rpc.cycles", statistic="median"), 0)

    def test_what_a_part_lacks_is_said_and_the_rest_is_measured(self):
        with self.assertRaisesRegex(PartAbsent, "it needs no-such-program|only root"):
            networks.need("no-such-program")

        class Half(contestants.Contestant):
            """Without one part."""

            def measure(self, work, place):
                raise PartAbsent("not here")

        taken = rounds.Rounds.__new__(rounds.Rounds)
        taken.samples = samples.Samples()
        taken.contestants, taken.place = [Half("half", "Half")], None
        taken.one_work(works.PARTS[works.RATE][0], 1)
        self.assertEqual(taken.samples.absent, {"half, rate": "not here"})

    def test_clients_that_met_no_server_are_started_anew(self):
        process, report = self.bench("--only=rate-by-size", "--only=sluice", "--rounds=1")
        self.assertEqual(report.value("contestant.restarts", contestant="sluice"), 1)
        self.assertEqual(len(report.values("rpc.rate", statistic="median")), 5)
        self.assertIn("started anew, 1 times", process.out)

    def test_real_programs(self):
        real = harness.sluice_program().parent
        for name in PROGRAMS:
            if not (real / "perf" / "bench" / name).exists():
                self.skipTest(f"{name} was not built")
        _, report = self.bench("--only=round-trip", "--only=device", "--only=head-of-line",
                               "--only=head-of-line-loss", "--rounds=1", build=real)
        loss = not report.values("contestant.absent", contestant="tcp, head-of-line-loss")
        # How much is done in so short a time is the machine's affair; that all of them were
        # understood is not.
        mixed = ("sluice", "sluice-plain", "sluice-no-bundling", "sluice-ring", "tcp", "tls")
        for part, names in (("round-trip", (*mixed, "tcp-epoll", "tls-epoll")),
                            ("head-of-line", mixed)):
            for name in names:
                report.value("rpc.rate", contestant=name, statistic="median", part=part)
        self.assertEqual([name for name in mixed if not report.values(
            "rpc.rate", contestant=name, statistic="median", part="head-of-line-loss")],
            [] if loss else ["tcp", "tls"])
        for name in ("raw-memif", "raw-ring"):
            report.value("raw.sixty_outstanding.rate", contestant=name, statistic="median")


class Peers(Bench):
    """Contestants that the user names."""

    def peer(self, text, name="other"):
        path = self.folder / "answer.json"
        path.write_text(text, encoding="utf-8")
        return f"--peer={name}=cat {path}"

    FORM = json.dumps({"results": [
        {"metric": "rpc.rate", "value": 7e6, "unit": "RPCs/s", "labels": {}},
        {"metric": "rpc.latency", "value": 900, "unit": "ns", "labels": {"quantile": "p50"}},
        {"metric": "goodput", "value": 2e10, "unit": "bit/s", "labels": {"message": "8000000"}},
        {"metric": "something.else", "value": 1, "unit": "", "labels": {}}]})

    def test_is_measured_beside_the_others(self):
        process, report = self.bench(self.peer(self.FORM), "--only=other", "--only=tcp",
                                     "--only=rate")
        self.assertEqual(report.value("rpc.rate", contestant="other", statistic="median"), 7e6)
        self.assertEqual(report.value("goodput", contestant="other", statistic="median",
                                      message="8000000"), 2e10)
        self.assertRegex(process.out, r"other +900 ns!? +7\.00 M/s!?( +[\d,]+!?)? +20\.0 Gb/s")

    def test_may_write_to_a_file(self):
        path = self.folder / "answer.json"
        path.write_text(self.FORM, encoding="utf-8")
        _, report = self.bench(f"--peer=other=cp {path} {{json}}", "--only=other")
        self.assertEqual(report.value("rpc.rate", contestant="other", statistic="median"), 7e6)

    def test_without_the_common_form(self):
        for text in ("no JSON", "[]", '{"results": [{"metric": "rpc.rate"}]}'):
            self.refused("--peer other: its command did not write the common form", "--busy-ok",
                         self.peer(text), "--only=other")
        self.refused("--peer other: none of its figures", "--busy-ok",
                     self.peer('{"results": []}'), "--only=other")

    def test_that_fails(self):
        self.refused("--peer other failed: gone wrong", "--busy-ok", "--only=other",
                     "--peer=other=sh -c 'echo gone wrong >&2; exit 3'")

    def test_from_debian(self):
        ucx = ("| 50.0%ile | average | overall |  average |  overall |\n+------+\n"
               "  5000   9.657   10.188   10.2   5.99   6.00   98159   98159\n")
        self.assertEqual(peers.ucx_figures(ucx, False),
                         [("rpc.latency", 19314.0, "ns", {"quantile": "p50"})])
        self.assertEqual(peers.ucx_figures(ucx, True), [("goodput", 6 * 8 * 2**20, "bit/s", {})])
        fabric = ("bytes   #sent   #ack     total       time     MB/sec    usec/xfer   Mxfers/sec\n"
                  "64      1k      =1k      125k        2.92s      0.5    1459.5       0.00\n")
        self.assertEqual(peers.libfabric_figures(fabric, False),
                         [("rpc.latency", 2919000.0, "ns", {"quantile": "mean"})])
        self.assertEqual(peers.libfabric_figures(fabric, True), [("goodput", 4e6, "bit/s", {})])
        with self.assertRaisesRegex(Problem, "fi_pingpong printed is not understood"):
            peers.libfabric_figures("usec/xfer", False)
        with self.assertRaisesRegex(Absent, "no-such is not installed"):
            peers.installed("no-such")

    def test_that_is_missing(self):
        self.refused("there is no program /no/such", "--peer=other=/no/such --x")


class Refusals(Bench):
    """Bad input: one line that says what to change, status 2, and no file."""

    def test_settings(self):
        for words, pattern in (
                (("--rounds=0",), "--rounds=0: choose from 1"),
                (("--seconds=nan",), "--seconds=nan: choose from"),
                (("--seconds=100000",), "choose from 0.01 to 600"),
                (("--cpus=0,0",), "need a CPU each"), (("--cpus=0,4095",), "CPU 4095 may not"),
                (("--cpus=x",), "name two CPUs"), (("--only=nothing",), "choose a part"),
                (("--peer=other",), "write NAME='CMD'"), (("--peer=tcp=ls",), "is taken"),
                (("--what",), "unrecognized"), (("--quick=1",), "--quick"),
                (("--build=/proc",), "no build folder")):
            with self.subTest(words=words), self.assertRaisesRegex(Problem, pattern) as caught:
                settings.read(words, [one.name for one in catalogue.own()])
            self.assertNotIn("\n", str(caught.exception))
        self.refused("--rounds=0: choose from 1", "--rounds=0")

    def test_places(self):
        self.refused("no such folder", f"--json={self.folder}/none/result.json")
        self.refused("is a folder", f"--json={self.folder}")

    def test_nothing_to_measure(self):
        self.refused("nothing was measured: ktls: this kernel does no TLS", "--busy-ok",
                     "--only=ktls", "--only=rate")

    def test_wrong_bytes_end_the_run(self):
        self.pretend(failed=3)
        self.refused("sluice: 3 RPCs failed", "--busy-ok", "--only=rate", "--only=sluice")

    def test_busy_machine_and_no_memory(self):
        with self.assertRaisesRegex(Problem, "others use 43 % of its CPUs.*--busy-ok"):
            machine.check_idle(False, share=0.43)
        self.assertEqual(machine.check_idle(True, share=0.43), 0.43)
        self.assertEqual(machine.check_idle(False, share=0.01), 0.01)
        with self.assertRaisesRegex(Problem, "17 MB of memory are free"):
            machine.check_memory(17)


class Interrupted(Bench):
    """What ends early leaves neither a result nor a program behind."""

    def interrupt(self, number):
        process = self.start("--busy-ok", "--only=other",
                             f"--peer=other=echo $$ > {self.folder}/pid; sleep 60")
        path = self.folder / "pid"
        pid = harness.wait_for(lambda: path.exists() and path.read_text(encoding="ascii").strip(),
                               "the peer")
        process.send(number)
        process.wait()
        self.assert_nothing_written()
        harness.wait_for(lambda: not Path(f"/proc/{pid}").exists(), "the end of the peer")
        return process

    def test_by_hand(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.interrupt(number)
            self.assertEqual(process.popen.returncode, 130, process.story())
            self.assertEqual(process.err, "bench: interrupted; nothing was written\n")
            (self.folder / "pid").unlink()

    def test_killed(self):
        self.interrupt(signal.SIGKILL)


class Training(harness.Case):
    def test_every_part_runs_and_nothing_fails(self):
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("needs two CPUs")
        process = self.program(SCRIPTS / "lib" / "train", harness.sluice_program().parent, "50ms")
        self.assertEqual(process.wait(), 0, process.story())
        ended = re.findall(r"^([\d,]+) RPCs completed, 0 failed, 0 corrupt", process.out, re.M)
        self.assertEqual(len(ended), 6, process.out)

    def test_it_stops_where_the_program_fails(self):
        process = self.program(SCRIPTS / "lib" / "train", self.folder)
        self.assertNotEqual(process.wait(), 0, process.story())


if __name__ == "__main__":
    harness.main()
