#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every mode that needs no second process, with both ends in one."""

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "process"))
import harness  # pylint: disable=wrong-import-position


class Modes(harness.Case):
    """Each mode that needs no second process."""

    def run_mode(self, mode, *arguments):
        process = self.run_sluice(mode, *arguments, f"--json={self.json_path()}")
        return process, harness.Report(self.json_path())

    def test_pingpong(self):
        _, report = self.run_mode("pingpong", "--count=500")
        self.assert_served(report, 500)
        self.assertGreater(report.value("rpc.latency", quantile="p50", size="all"), 0)

    def test_rate_with_every_workload(self):
        for name in ("W1", "W2", "W3", "W4", "W5"):
            _, report = self.run_mode("rate", f"--workload={name}", "--count=300",
                                      "--outstanding=8")
            self.assert_served(report, 300)

    def test_messages_shorter_than_a_word(self):
        for size in range(1, 9):
            _, report = self.run_mode("rate", f"--size={size}", "--count=200")
            self.assert_served(report, 200)

    def test_stream_of_messages_longer_than_what_is_buffered(self):
        _, report = self.run_mode("stream", "--size=40M", "--count=5")
        self.assert_served(report, 5)

    def test_messages_beside_others(self):
        _, report = self.run_mode("pingpong", "--count=3000", "--beside=3M")
        self.assert_served(report, 3000)
        self.assertGreater(report.value("beside.goodput"), 0)

    def test_incast_reports_its_rounds(self):
        _, report = self.run_mode("incast", "--sessions=4", "--outstanding=8", "--count=80",
                                  "--size=50k")
        self.assert_served(report, 80)
        self.assertGreater(report.value("round.latency", quantile="p99"), 0)

    def test_sendfile(self):
        file = self.file(3_000_000)
        (self.folder / "in").mkdir()
        _, report = self.run_mode("sendfile", str(file), "--dir=in")
        self.assertEqual(report.value("file.sha256_match"), 1)
        self.assertEqual((self.folder / "in" / file.name).read_bytes(), file.read_bytes())

    def test_several_lcores(self):
        _, report = self.run_mode("rate", "--lcores=2", "--server-lcores=2", "--count=2000")
        self.assert_served(report, 2000)

    def test_periodic_counters(self):
        process, _ = self.run_mode("rate", "--duration=1s", "--stats-period=200ms")
        self.assertRegex(process.out, r"(?m)^[\d.]+ s: calls .* requests .* dropped \d+")

    def test_interrupted_traffic_prints_what_it_reached(self):
        process = self.sluice("rate", "--duration=10min", "--stats-period=100ms")
        process.expect(r"s: calls ")
        process.send(signal.SIGINT)
        self.assertEqual(process.wait(), 130, process.story())
        self.assertIn("RPCs completed, 0 failed, 0 corrupt", process.out)


if __name__ == "__main__":
    harness.main()
