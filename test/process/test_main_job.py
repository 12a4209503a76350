#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job: `sluice loopback`, as scripts/run starts it."""

import os
import re
import signal

import harness

METRICS = {"rpc.completed", "rpc.failed", "rpc.corrupt", "rpc.rate", "rpc.latency", "goodput",
           "file.sha256_match", "packets.retransmitted", "control.bytes", "packets.dropped"}
DEFAULT_MEMORY = 300 << 20


class MainJob(harness.Case):
    """Both ends in one process, over a ring."""

    def loopback(self, *arguments, count=None, file_bytes=None, **options):
        count = count or 5000
        file = self.file(file_bytes or 10 << 20)
        process = self.run_sluice("loopback", f"--count={count}", f"--file={file}",
                                  f"--json={self.json_path()}", *arguments, seconds=120, **options)
        report = harness.Report(self.json_path())
        for phase in ("clean", "faulty"):
            self.assert_served(report, count, phase=phase)
            self.assertEqual(report.value("file.sha256_match", phase=phase), 1)
            self.assertEqual(report.value("file.bytes", phase=phase), file.stat().st_size)
        return process, report

    def test_json_has_what_acceptance_reads(self):
        process, report = self.loopback()
        self.assertEqual(set(report.whole), {"command", "version", "machine", "results"})
        self.assertTrue(report.whole["command"].startswith("sluice loopback "), report.whole)
        self.assertIn(" --count=5000 ", report.whole["command"])
        for result in report.results:
            self.assertEqual(set(result), {"metric", "value", "unit", "labels"})
        for phase in ("clean", "faulty"):
            found = {result["metric"] for result in report.results
                     if result["labels"].get("phase") == phase}
            self.assertEqual(METRICS - found, set(), phase)
            sizes = {result["labels"]["size"] for result in report.results
                     if result["metric"] == "rpc.latency" and result["labels"]["phase"] == phase}
            self.assertEqual(len(sizes - {"all"}), 10, "a latency for each tenth of the sizes")
            for size in sizes:
                quantiles = [report.value("rpc.latency", phase=phase, size=size, quantile=quantile)
                             for quantile in ("p50", "p99", "p999")]
                self.assertEqual(quantiles, sorted(quantiles))
            self.assertGreater(report.value("rpc.rate", phase=phase), 0)
        self.assertGreater(report.value("packets.retransmitted", phase="faulty"), 0)
        self.assertGreater(report.value("fault.lost", phase="faulty"), 0)
        self.assertEqual(report.value("fault.lost", phase="clean"), 0)
        self.assertIn("SHA-256", process.out)

    def test_report_says_what_was_chosen_and_why(self):
        process, _ = self.loopback(count=200, file_bytes=100_000)
        for subject in ("machine", "DPDK", "lcores", "huge pages", "clock", "crypto", "port"):
            self.assertRegex(process.out, rf"(?m)^{subject}[^:]*: .+")
        started = re.search(r"(?m)^start-up: (\d+) ms", process.out)
        self.assertIsNotNone(started, process.out)
        print(f"start-up to first packet: {started.group(1)} ms")

    def test_every_fault_at_once_is_survived(self):
        _, report = self.loopback("--loss=3%", "--reorder=5%", "--duplicate=5%", "--corrupt=1%",
                                  "--delay=50us", "--jitter=200us", count=1000,
                                  file_bytes=2_000_000)
        for fault in ("lost", "reordered", "duplicated", "corrupted", "delayed"):
            self.assertGreater(report.value(f"fault.{fault}", phase="faulty"), 0, fault)
        causes = {result["labels"]["cause"]: result["value"] for result in report.results
                  if result["metric"] == "packets.dropped"
                  and result["labels"]["phase"] == "faulty"}
        self.assertGreater(causes["tag"], 0, causes)

    def test_killed_run_leaves_no_json(self):
        process = self.sluice("loopback", "--count=100M", f"--json={self.json_path()}")
        process.expect("start-up: ")
        process.kill()
        left = [path.name for path in self.folder.iterdir() if ".json" in path.name]
        self.assertEqual(left, [])

    def test_interrupted_run_says_so(self):
        process = self.sluice("loopback", "--count=100M", f"--json={self.json_path()}")
        process.expect("start-up: ")
        process.send(signal.SIGINT)
        self.assertEqual(process.wait(), 130, process.story())
        self.assertIn("interrupted", process.err)
        if self.json_path().exists():
            report = harness.Report(self.json_path())
            self.assertEqual(report.value("rpc.corrupt", phase="clean"), 0)

    def test_one_core_carries_both_ends(self):
        self.need_program("taskset")
        cpu = min(os.sched_getaffinity(0))
        process, _ = self.loopback(count=500, file_bytes=1_000_000,
                                   before=("taskset", "-c", cpu))
        self.assertRegex(process.out, r"lcores: 2 .*shared")

    def test_default_memory_is_within_its_budget(self):
        # The file's pages count as long as they are mapped, so its size is given.
        file = self.file(10 << 20)
        process = self.sluice("loopback", "--count=20000", f"--file={file}",
                              f"--json={self.json_path()}")
        peak = 0

        def ended():
            nonlocal peak
            try:
                with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                    found = re.search(r"VmHWM:\s+(\d+) kB", status.read())
            except FileNotFoundError:
                found = None
            peak = max(peak, int(found.group(1)) * 1024 if found else 0)
            return not process.running()

        harness.wait_for(ended, "the end of the main job", 120)
        self.assertEqual(process.wait(), 0, process.story())
        print(f"peak of memory in use: {peak >> 20} MB")
        self.assertGreater(peak, 0)
        self.assertLessEqual(peak, DEFAULT_MEMORY)


if __name__ == "__main__":
    harness.main()
