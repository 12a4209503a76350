#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests that travel with the hello, between two processes: how many packets they take, and what
becomes of them when the server has forgotten."""

import struct

import harness

SERVER = "server.dc.example"
CLIENT = "client.dc.example"
HANDSHAKE = 3  # The packet type,
DATA, BUNDLE = 1, 2
CLIENT_HELLO, HELLO_RETRY, CLIENT_FINISHED = 1, 2, 4
SESSION = 4  # Where a packet's header has its receiver's session.
PORT = 7470


def packets(path):
    """(from the client, type, handshake message type, session) of each Sluice packet of a
    capture."""
    raw = path.read_bytes()
    order = "<" if raw[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at + 16 <= len(raw):
        length = struct.unpack(order + "I", raw[at + 8:at + 12])[0]
        frame = raw[at + 16:at + 16 + length]
        at += 16 + length
        if frame[12:14] != b"\x08\x00" or frame[23] != 17:
            continue
        sluice = frame[14 + (frame[14] & 15) * 4 + 8:]
        kind = sluice[10]
        message = sluice[24] if kind == HANDSHAKE else 0
        yield frame[26:30] == bytes([10, 0, 0, 1]), kind, message, sluice[SESSION:SESSION + 4]


class Early(harness.Case):
    """Each test has a CA, two certificates and a socket of its own."""

    def setUp(self):
        super().setUp()
        self.identity("ca", f"--out={self.folder}/ca", "--below=dc.example")
        for name in (SERVER, CLIENT):
            self.identity("issue", name, f"--ca={self.folder}/ca", f"--out={self.folder}/ids",
                          "--days=1")

    def identity(self, *words):
        process = self.program(harness.sluice_program(), "identity", *words)
        self.assertEqual(process.wait(), 0, process.story())

    def side(self, role, name):
        place = self.folder / "ids" / name
        address = "10.0.0.2/24" if role == "server" else "10.0.0.1/24"
        socket = self.folder / "memif.sock"
        return (f"--port=net_memif0,role={role},socket={socket},socket-abstract=no",
                f"--address={address}", f"--cert={place}.pem", f"--key={place}.key",
                f"--trust={self.folder}/ca/ca.pem")

    def handshakes(self, kind, count, *arguments):
        json = self.json_path(kind)
        self.run_sluice("handshakes", f"--handshake={kind}", f"--count={count}", "--peer=10.0.0.2",
                        f"--name={SERVER}", f"--json={json}", *self.side("client", CLIENT),
                        *arguments)
        return harness.Report(json)

    # Verifies MUST-E1, MUST-E4
    def test_an_early_request_is_answered_after_one_round_trip(self):
        self.server(*self.side("server", SERVER))
        capture = self.folder / "client.pcap"
        report = self.handshakes("early", 1, f"--capture={capture}")
        self.assertEqual(report.value("handshake.failed", kind="early"), 0)
        self.assertEqual(report.value("rpc.corrupt", kind="early"), 0)
        self.assertEqual(report.value("handshake.early.taken", kind="early"), 1)
        seen = list(packets(capture))
        hellos = [i for i, (mine, kind, message, _) in enumerate(seen)
                  if mine and kind == HANDSHAKE and message == CLIENT_HELLO]
        finished = [i for i, (mine, kind, message, _) in enumerate(seen)
                    if mine and kind == HANDSHAKE and message == CLIENT_FINISHED]
        # The first session took a cookie, the second one did not.
        retries = [i for i, (mine, kind, message, _) in enumerate(seen)
                   if not mine and kind == HANDSHAKE and message == HELLO_RETRY]
        self.assertTrue(retries)
        second = min(i for i in hellos if i > finished[0])
        self.assertFalse([i for i in retries if i > second])
        # From the second hello on the client says nothing but the hello before the server answers,
        # and the first packet of a lane is the server's: it holds the answer.
        # The first session may still have something to say.
        first = {session for _, kind, _, session in seen[:second] if kind in (DATA, BUNDLE)}
        new = [each for each in seen[second + 1:] if each[3] not in first]
        ours = next(i for i, (mine, _, message, _) in enumerate(new)
                    if mine and message != CLIENT_HELLO)
        theirs = next(i for i, (mine, _, _, _) in enumerate(new) if not mine)
        self.assertLess(theirs, ours)
        lanes = [mine for mine, kind, _, _ in new if kind in (DATA, BUNDLE)]
        self.assertFalse(lanes[0])

    def test_the_three_kinds_of_handshake(self):
        server = self.serve_counted()
        report = self.handshakes("all", 20)
        for kind, resumed, early in (("full", 0, 0), ("resumed", 20, 0), ("early", 20, 20)):
            self.assertEqual(report.value("handshake.sessions", kind=kind), 20)
            self.assertEqual(report.value("handshake.failed", kind=kind), 0)
            self.assertEqual(report.value("rpc.corrupt", kind=kind), 0)
            self.assertEqual(report.value("handshake.resumed", kind=kind), resumed)
            self.assertEqual(report.value("handshake.early.taken", kind=kind), early)
            self.assertEqual(report.value("handshake.early.refused", kind=kind), 0)
        # Each request was executed once.
        self.assertEqual(server.counters("requests")["requests.delivered"], 60)

    def serve_counted(self):
        server = self.sluice("serve", "-i", *self.side("server", SERVER), input_pipe=True)
        server.expect(harness.PROMPT)
        return server

    # Verifies MUST-L5: padded by the client in the hello, or by the server when it takes them.
    def test_early_requests_whose_length_one_side_wants_concealed(self):
        for ours, theirs in ((("--pad=buckets",), ()), ((), ("--pad=buckets",))):
            with self.subTest(ours=ours, theirs=theirs):
                server = self.sluice("serve", "-i", *self.side("server", SERVER), *theirs,
                                     input_pipe=True)
                server.expect(harness.PROMPT)
                for size in (1, 60, 700, 1020):
                    report = self.handshakes("early", 5, f"--size={size}", *ours)
                    self.assertEqual(report.value("handshake.failed", kind="early"), 0)
                    self.assertEqual(report.value("rpc.corrupt", kind="early"), 0)
                    self.assertEqual(report.value("handshake.early.taken", kind="early"), 5)
                self.assertEqual(server.counters("dropped").get("dropped.padding", 0), 0)
                self.assertEqual(server.terminate(), 0, server.story())

    # Verifies MUST-E1
    def test_nothing_goes_early_that_is_not_marked(self):
        server = self.serve_counted()
        self.handshakes("resumed", 10)
        counters = server.counters("handshake")
        self.assertEqual(counters["handshake.resumed"], 10)
        self.assertNotIn("handshake.early.taken", counters)

    # Verifies MUST-E2, MUST-E5
    def test_early_requests_pass_a_bad_network_once(self):
        server = self.serve_counted()
        report = self.handshakes("early", 40, "--loss=5%", "--duplicate=5%", "--reorder=5%")
        self.assertEqual(report.value("handshake.failed", kind="early"), 0)
        self.assertEqual(report.value("rpc.corrupt", kind="early"), 0)
        taken = server.counters("handshake")["handshake.early.taken"]
        self.assertGreaterEqual(taken, 1)


if __name__ == "__main__":
    harness.main()
