#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Devices without a peer or a NIC: null, ring, pcap files; as root and as nobody."""

import os
import re
import struct
from pathlib import Path

import harness
from test_memif import lcore_cpus
from test_veth import pcap_frames

PLACE = ("--address=10.0.0.1/24", "--peer=10.0.0.2")
NOBODY = 65534
ARP = b"\x08\x06"


class Null(harness.Case):
    """net_null, which takes everything and brings frames of zeros, as many as one likes."""

    def test_nobody_answers(self):
        process = self.run_sluice("pingpong", "--port=net_null0", *PLACE, self.key(),
                                  "--connect-timeout=1s", expect=1)
        self.assertEqual(process.err, "sluice: no answer from the peer\n")

    def test_asking_for_a_neighbour_is_bounded(self):
        capture = self.folder / "null.pcap"
        self.run_sluice("pingpong", "--port=net_null0,no-rx=1", *PLACE, self.key(),
                        "--connect-timeout=3s", f"--capture={capture}", expect=1)
        frames = pcap_frames(capture)
        self.assertGreater(len(frames), 0)
        self.assertTrue(all(frame[12:14] == ARP for frame in frames), "nothing but questions")
        self.assertLess(len(frames), 60, "retries back off")

    def test_generated_frames_are_counted_by_cause(self):
        for number, size in enumerate((64, 1024)):
            server = self.server(f"--port=net_null0,size={size}", PLACE[0], self.key(),
                                 name=f"server{number}")
            counted = harness.wait_for(
                lambda asked=server: (lambda found: found.get("frames.received", 0) > 100_000
                                      and found)(asked.counters()), "frames")
            dropped = sum(value for name, value in counted.items() if name.startswith("dropped."))
            self.assertGreater(dropped, 90_000, counted)
            self.assertIn("no session", server.ask("show sessions"))
            self.assertEqual(server.terminate(), 0, server.story())


class Deadline(harness.Case):
    """A peer that has vanished from the ring."""

    def test_calls_end_by_their_deadline_and_resends_are_bounded(self):
        process = self.sluice("rate", "-i", "--size=1000", "--outstanding=10", "--count=10",
                              "--warmup=1", "--deadline=3s", "--peer-timeout=60s",
                              input_pipe=True)
        process.expect(harness.PROMPT)
        process.ask("start")
        process.expect("10 RPCs completed, 0 failed")
        process.ask("set fault loss 100%")
        process.ask("start")
        process.expect(r"0 RPCs completed, 1[01] failed, 0 corrupt")
        self.assertRegex(process.out, r"failed: 1[01] deadline_exceeded")
        self.assertEqual(client_in_flight(process), "0")
        self.assertLess(process.counters().get("packets.retransmitted", 0), 11 * 200)
        process.ask("set fault none")
        process.ask("set count 20")
        process.ask("start")
        process.expect("20 RPCs completed, 0 failed")
        process.say("quit")
        self.assertEqual(process.wait(), 0, process.story())

    def test_silent_peer_ends_calls_without_a_deadline(self):
        process = self.sluice("rate", "-i", "--size=1000", "--outstanding=10", "--count=10",
                              "--warmup=1", "--peer-timeout=1s", input_pipe=True)
        process.expect(harness.PROMPT)
        process.ask("set fault loss 100%")
        process.ask("start")
        process.expect(r"failed: 1[01] unavailable")
        # The server's end of it, which waits for nothing, hears nothing of this.
        harness.wait_for(lambda: " client " not in process.ask("show sessions"),
                         "the end of the client's session")


def client_in_flight(process):
    """How many calls the client's session has, as `show sessions` says."""
    column = None
    for line in process.ask("show sessions").splitlines():
        cells = re.split(r"\s{2,}", line.strip())
        if "in flight" in cells:
            column = cells.index("in flight")
        elif "client" in cells:
            return cells[column]
    raise AssertionError("the client has no session")


class Pcap(harness.Case):
    """Recording with --capture, and playing back with net_pcap."""

    def setUp(self):
        super().setUp()
        self.psk = self.key()
        self.capture = self.folder / "client.pcap"

    def record(self):
        memif = f"--port=net_memif0,socket={self.folder}/m,socket-abstract=no,role="
        server = self.server(memif + "server", "--address=10.0.0.2/24", self.psk)
        self.run_sluice("rate", "--workload=W3", "--count=300", "--warmup=1", memif + "client",
                        *PLACE, self.psk, f"--capture={self.capture}")
        self.assertEqual(server.terminate(), 0, server.story())

    def test_recorded_frames_are_whole(self):
        self.record()
        data = self.capture.read_bytes()
        self.assertIn(data[:4], (b"\x4d\x3c\xb2\xa1", b"\xd4\xc3\xb2\xa1"))
        frames = pcap_frames(self.capture)
        self.assertGreater(len(frames), 300)
        sources = {frame[26:30] for frame in frames if frame[12:14] == b"\x08\x00"}
        self.assertEqual(sources, {bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])}, "both directions")
        for frame in frames:
            if frame[12:14] == b"\x08\x00":
                self.assertEqual(struct.unpack_from(">H", frame, 16)[0] + 14, len(frame))

    def test_record_played_to_a_fresh_server_is_of_an_unknown_session(self):
        self.record()
        frames = [frame for frame in pcap_frames(self.capture)
                  if frame[12:14] == b"\x08\x00" and frame[30:34] == bytes([10, 0, 0, 2])]
        kinds = [frame[42 + 10] for frame in frames]
        sealed = sum(1 for kind in kinds if kind in (1, 2))
        answer = self.folder / "answer.pcap"
        server = self.server(f"--port=net_pcap0,rx_pcap={self.capture},tx_pcap={answer}",
                             "--address=10.0.0.2/24", self.psk, name="fresh")
        counted = harness.wait_for(
            lambda: (lambda found: found.get("dropped.unknown_session", 0) >= sealed and found)
            (server.counters()), "the end of the record")
        self.assertEqual(counted["dropped.unknown_session"], sealed, counted)
        for believed in ("sessions.up", "requests.delivered", "handshake.accepted"):
            self.assertEqual(counted.get(believed, 0), 0, counted)
        self.assertGreater(counted.get("handshake.received", 0), 0, "hellos were in the record")
        self.assertIn("no session", server.ask("show sessions"))
        self.assertEqual(server.terminate(), 0, server.story())
        resets = sum(1 for frame in pcap_frames(answer)
                     if frame[12:14] == b"\x08\x00" and frame[42 + 10] == 4)
        self.assertLessEqual(resets, sealed)


class Lcores(harness.Case):
    """Several lcores in one process, over rings."""

    def test_two_server_lcores(self):
        process = self.sluice("rate", "-i", "--workload=W3", "--count=2000", "--warmup=1",
                              "--server-lcores=2", "--outstanding=16", input_pipe=True)
        process.expect(harness.PROMPT)
        pinned = lcore_cpus(process.pid)
        self.assertEqual(len(pinned), 3, pinned)
        self.assertTrue(all(len(cpus) == 1 for cpus in pinned), pinned)
        if len(os.sched_getaffinity(0)) < 3:
            self.assertRegex(process.out, r"lcores: 3 .*shared")
        self.assertRegex(process.ask("show sessions"), r"aes-128-gcm +2 ")
        process.ask("start")
        process.expect("2,000 RPCs completed, 0 failed, 0 corrupt")
        process.say("quit")
        self.assertEqual(process.wait(), 0, process.story())

    def test_main_job_with_two_lcores_a_side(self):
        file = self.file(1_000_000)
        self.run_sluice("loopback", "--count=1000", "--lcores=2", "--server-lcores=2",
                        f"--file={file}", f"--json={self.json_path()}")
        report = harness.Report(self.json_path())
        for phase in ("clean", "faulty"):
            self.assert_served(report, 1000, phase=phase)
            self.assertEqual(report.value("file.sha256_match", phase=phase), 1)


class Unprivileged(harness.Case):
    """The same as nobody, without any capability."""

    def setUp(self):
        super().setUp()
        self.before = ()
        self.psk = self.key()
        self.environment = dict(os.environ, XDG_RUNTIME_DIR=str(self.folder), HOME="/")
        if os.geteuid() == 0:
            self.need_program("setpriv")
            self.before = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                           "--inh-caps=-all", "--no-new-privs")
            for path in (self.folder, self.folder / "key"):
                os.chown(path, NOBODY, NOBODY)
            if self.program(*self.before, "test", "-x", harness.sluice_program()).wait() != 0:
                self.skipTest("the build folder is closed to nobody")

    def run_as_nobody(self, mode, *arguments, **options):
        return self.run_sluice(mode, *arguments, before=self.before, environment=self.environment,
                               **options)

    def test_ring(self):
        self.run_as_nobody("loopback", "--count=300", f"--file={self.file(100_000)}")

    def test_null(self):
        process = self.run_as_nobody("pingpong", "--port=net_null0", *PLACE, self.psk,
                                     "--connect-timeout=300ms", expect=1)
        self.assertEqual(process.err, "sluice: no answer from the peer\n")

    def test_memif_and_pcap_files(self):
        memif = f"--port=net_memif0,socket={self.folder}/m,socket-abstract=no,role="
        capture = self.folder / "client.pcap"
        server = self.sluice("serve", memif + "server", "--address=10.0.0.2/24", self.psk,
                             before=self.before, environment=self.environment)
        server.expect("start-up: ")
        self.run_as_nobody("pingpong", "--count=200", memif + "client", *PLACE, self.psk,
                           f"--capture={capture}")
        self.assertEqual(server.terminate(), 0, server.story())
        player = self.sluice("serve", f"--port=net_pcap0,rx_pcap={capture},tx_pcap=/dev/null",
                             "--address=10.0.0.2/24", self.psk, "--duration=300ms",
                             f"--json={self.json_path()}", before=self.before,
                             environment=self.environment)
        self.assertEqual(player.wait(), 0, player.story())

    def test_af_packet_needs_a_privilege_and_says_so(self):
        process = self.run_as_nobody("serve", "--port=net_af_packet0,iface=lo",
                                     "--address=10.0.0.2/24", self.psk, expect=1)
        self.assertRegex(process.err, r"^sluice: cannot open net_af_packet0.*privileges\n$")

    def test_nothing_is_left_behind(self):
        self.test_ring()
        left = [path for path in Path(self.folder).rglob("*") if re.search("sluice-|dpdk.*/.",
                                                                          str(path.name))]
        self.assertEqual(left, [])


if __name__ == "__main__":
    harness.main()
