#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests how scripts/test counts: by case or program, skips with reasons, crashes as failures."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "lib"))
import run_tests  # noqa: E402 (the path above comes first)

REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" disabled="1" errors="0" name="AllTests">
  <testsuite name="Slab">
    <testcase name="gives" status="run" result="completed" classname="Slab" />
    <testcase name="takes" status="run" result="completed" classname="Slab">
      <failure message="x"></failure>
    </testcase>
    <testcase name="waits" status="run" result="skipped" classname="Slab">
      <skipped message="slab_test.cc:7&#x0A;needs two cores"></skipped>
    </testcase>
    <testcase name="sleeps" status="notrun" result="suppressed" classname="Slab" />
  </testsuite>
</testsuites>
"""
RUN = run_tests.Run("build-x", "all", [])


def record(name, result, stdout="", returncode=0):
    return {"name": name, "result": result, "stdout": stdout, "returncode": returncode,
            "command": [f"build-x/{name}"]}


class Counting(unittest.TestCase):

    def count(self, records, reports=None):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (reports or {}).items():
                (Path(folder) / name).write_text(text, encoding="utf-8")
            return run_tests.count(RUN, records, Path(folder))

    def test_a_report_counts_by_case(self):
        tally = self.count([record("unit_base", "FAIL", returncode=1)], {"unit_base.xml": REPORT})
        self.assertEqual(tally.line(), "1 passed, 1 failed, 1 skipped")
        self.assertEqual(tally.skipped, ["build-x: unit_base: Slab.waits: needs two cores"])

    def test_a_program_whose_exit_disagrees_with_its_report_has_failed(self):
        clean = REPORT.replace('<failure message="x"></failure>', "")
        tally = self.count([record("unit_base", "FAIL", returncode=-6)], {"unit_base.xml": clean})
        self.assertEqual(tally.line(), "2 passed, 1 failed, 1 skipped")

    def test_two_runs_of_one_program_are_counted_once_each(self):
        tally = self.count([record("ring", "FAIL"), record("ring", "FAIL")],
                           {"ring.xml": REPORT, "ring_1.xml": REPORT, "ring_two.xml": REPORT})
        self.assertEqual(tally.line(), "2 passed, 2 failed, 2 skipped")

    def test_other_programs_count_as_one_and_skips_give_their_reason(self):
        tally = self.count([record("layers", "OK"), record("veth", "SKIP", "x\nneeds root\n"),
                            record("memif", "TIMEOUT")])
        self.assertEqual(tally.line(), "1 passed, 1 failed, 1 skipped")
        self.assertEqual(tally.skipped, ["build-x: veth: needs root"])

    def test_a_summary_of_unittest_counts_by_case(self):
        text = ("test_a (x) ... ok\ntest_b (x) ... skipped 'needs root'\n"
                "FAIL: test_c (x)\n----\nRan 4 tests in 0.1s\n\nFAILED (failures=1, skipped=1)\n")
        tally = self.count([record("devices", "FAIL", text, 1)])
        self.assertEqual(tally.line(), "2 passed, 1 failed, 1 skipped")
        self.assertEqual(tally.skipped, ["build-x: devices: needs root"])

    def test_scripts_report_under_their_own_name(self):
        one = dict(record("memif", "OK"), command=["/usr/bin/python3", "/x/test_memif.py", "y"])
        tally = self.count([one], {"test_memif.py.xml": REPORT.replace("failure", "x")})
        self.assertEqual(tally.line(), "2 passed, 0 failed, 1 skipped")

    def test_the_last_line_has_its_form(self):
        self.assertRegex(run_tests.Tally().line(), r"^\d+ passed, \d+ failed, \d+ skipped$")


if __name__ == "__main__":
    unittest.main(verbosity=2)
