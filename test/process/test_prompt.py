#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The prompt: through a pipe, through a terminal, and from a file."""

import os
import pty
import re
import select
import signal
import time

import harness


class Prompt(harness.Case):
    """Both ends in this process; commands come from a pipe."""

    def start(self, *arguments, mode="rate"):
        process = self.sluice(mode, "-i", "--size=64", "--outstanding=8", "--warmup=1",
                              "--count=500", *arguments, input_pipe=True)
        process.expect(harness.PROMPT)
        return process

    def test_every_command(self):
        process = self.start("--json=" + str(self.json_path()))
        process.ask("start")
        process.expect("500 RPCs completed, 0 failed, 0 corrupt")
        ports = process.ask("show port stats all")
        self.assertEqual(len(re.findall(r"NIC statistics for port", ports)), 2)
        self.assertGreater(int(re.search(r"RX-packets: (\d+)", ports).group(1)), 0)
        self.assertRegex(process.ask("show port info all"), r"net_ring .*up")
        sessions = process.ask("show sessions")
        self.assertRegex(sessions, r"client +aes-128-gcm")
        self.assertRegex(sessions, r"server +aes-128-gcm")
        messages = process.ask("show messages")
        self.assertRegex(messages, r"calls: 501 begun, 501 completed, 0 failed")
        self.assertIn("in flight: 0", messages)
        self.assertEqual(process.counters("rpc.")["rpc.completed"], 501)
        process.ask("set size 128")
        process.ask("set outstanding 4")
        process.ask("set count 0")
        self.assertRegex(process.ask("show config"), r"size 128\s+outstanding 4\s+count 0")
        process.ask("set fault loss 2%")
        self.assertIn("loss 2.00%", process.ask("show faults"))
        process.ask("start")
        harness.wait_for(lambda: process.counters("fault.").get("fault.lost", 0) > 0, "losses")
        self.assertIn("it runs already", process.ask("start"))
        self.assertRegex(process.ask("stop"), r"RPCs completed, 0 failed, 0 corrupt")
        self.assertIn("nothing runs", process.ask("stop"))
        process.ask("set fault none")
        process.ask("clear port stats all")
        self.assertNotIn("rpc.completed", process.counters("rpc."))
        for command in ("start", "stop", "show", "set", "clear", "help", "quit"):
            self.assertIn(command, process.ask("help"))
        process.say("quit")
        self.assertEqual(process.wait(), 0, process.story())
        self.assertGreater(len(harness.Report(self.json_path()).values("rpc.completed")), 1)

    def test_mistakes_are_explained_and_change_nothing(self):
        process = self.start()
        for line, answer in (("strat", "is start meant?"), ("show", "show sessions"),
                             ("show ports", "show port stats all"), ("set size", "set size BYTES"),
                             ("set size lots", "no number"), ("set workload W9", "choose W1"),
                             ("set size 900M", "need a start with --size"),
                             ("set fault loss 200%", "set fault"), ("set colour red", "set size"),
                             ("clear everything", "clear port stats all"),
                             ("help me", "help"), ("start now", "start")):
            self.assertIn(answer, process.ask(line), line)
        self.assertEqual(process.ask("   # only a remark   ").strip(), "")
        self.assertRegex(process.ask("show messages"), "calls: 0 begun")
        process.say("quit")
        self.assertEqual(process.wait(), 0, process.story())

    def test_end_of_input_is_quit(self):
        process = self.start()
        process.popen.stdin.close()
        self.assertEqual(process.wait(), 0, process.story())

    def test_command_file(self):
        commands = self.folder / "commands"
        commands.write_text("# first\nset count 50\nstart\nshow sessions\n", encoding="ascii")
        process = self.run_sluice("pingpong", f"--cmdline-file={commands}", "--warmup=1",
                                  f"--json={self.json_path()}")
        self.assertIn("50 RPCs completed, 0 failed", process.out)
        self.assert_served(harness.Report(self.json_path()), 50)
        self.assertRegex(process.out, "client +aes-128-gcm")

    def test_command_file_that_quits(self):
        commands = self.folder / "commands"
        commands.write_text("show port info all\nquit\nshow sessions\n", encoding="ascii")
        process = self.run_sluice("pingpong", f"--cmdline-file={commands}")
        self.assertNotIn("aes-128-gcm  ", process.out)

    def test_command_file_with_a_mistake_names_its_line(self):
        commands = self.folder / "commands"
        commands.write_text("help\nstrat\n", encoding="ascii")
        process = self.run_sluice("pingpong", f"--cmdline-file={commands}", expect=1)
        self.assertIn(f"{commands}:2: no command 'strat'", process.err)
        process = self.run_sluice("pingpong", "--cmdline-file=none", expect=1)
        self.assertIn("cannot read none", process.err)

    def test_stats_period(self):
        process = self.sluice("rate", "--count=100M", "--stats-period=50ms")
        harness.wait_for(lambda: len(re.findall(
            r"(?m)^[\d.]+ s: calls .*, packets in .* out ", process.out)) >= 3, "three periods")
        process.send(signal.SIGTERM)
        self.assertEqual(process.wait(), 130, process.story())
        self.assertRegex(process.out, "RPCs completed, 0 failed, 0 corrupt")

    def interrupt(self, process):
        """Sends SIGINT, and waits until it is taken: two that come close together are one."""
        process.send(signal.SIGINT)

        def taken():
            with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                pending = re.search(r"ShdPnd:\s+(\w+)", status.read()).group(1)
            return int(pending, 16) & (1 << (signal.SIGINT - 1)) == 0
        harness.wait_for(taken, "the signal's arrival")

    def test_signal_ends_a_connect(self):
        process = self.sluice("rate", "--loss=100%", "--connect-timeout=100min")
        process.expect("start-up: ")
        process.send(signal.SIGINT)
        self.assertEqual(process.wait(), 130, process.story())
        self.assertEqual(process.err, "sluice: interrupted\n")

    def test_second_signal_does_not_wait(self):
        process = self.start("--count=100M", "--peer-timeout=100min")
        process.ask("set fault loss 100%")
        process.ask("start")
        self.interrupt(process)
        self.interrupt(process)
        self.assertEqual(process.wait(), 130, process.story())
        self.assertIn("without draining", process.err)

    def test_terminal(self):
        main, side = pty.openpty()
        folder = self.folder
        pid = os.fork()
        if pid == 0:
            harness.die_with_parent()
            for number in range(3):
                os.dup2(side, number)
            program = str(harness.sluice_program())
            os.chdir(folder)
            os.execv(program, [program, "pingpong", "-i", "--count=100", "--warmup=1"])
        os.close(side)
        said = b""

        def hear(pattern):
            nonlocal said
            end = time.monotonic() + harness.SECONDS
            while not re.search(pattern, said):
                self.assertLess(time.monotonic(), end, said)
                if select.select([main], [], [], 0.5)[0]:
                    said += os.read(main, 4096)
        try:
            hear(rb"sluice> ")
            os.write(main, b"start\n")
            hear(rb"100 RPCs completed, 0 failed")
            os.write(main, b"quit\n")
            status = self.reap(pid, main)
            pid = 0
            self.assertEqual(status, 0, said)
        finally:
            if pid:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            os.close(main)

    def reap(self, pid, terminal):
        """Waits for a program on a terminal, reading what it says, and returns its status."""
        def ended():
            if select.select([terminal], [], [], 0)[0]:
                try:
                    os.read(terminal, 4096)
                except OSError:
                    pass  # The program has closed its side.
            done, status = os.waitpid(pid, os.WNOHANG)
            return (os.waitstatus_to_exitcode(status),) if done else None
        return harness.wait_for(ended, "the end of the program")[0]


if __name__ == "__main__":
    harness.main()
