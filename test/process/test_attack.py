#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Somebody on the cable repeats, changes, cuts and makes up frames: each is counted by its cause,
none changes anything, and the service goes on."""

import errno
import random
import select
import struct
import time

import harness
import veth

ETHERNET, IPV4, UDP = 14, 20, 8
HEADER = ETHERNET + IPV4 + UDP  # Where Sluice's own begins.
TYPE, DATA, BUNDLE, HANDSHAKE, RESET = 10, 1, 2, 3, 4
NUMBER = HEADER + 16  # The record number, of which the top bit says that it is a counter.
NOT_AUTHENTICATED = {9, 12, 13}  # Bytes of Sluice's header that the network may change.
RING = 500  # Frames that the receiving ring holds for certain.
TURNS = 10  # Of the server's loop, in which what has arrived is taken.
MOVING = {"lcore.loops", "lcore.busy_loops", "lcore.yields", "lcore.longest_loop_ns",
          "lcore.tasks", "control.wakeups"}  # Counters of a server that nobody speaks to.


class Attacked(veth.VethCase):
    """A client's session is up and quiet; the test has the client's place on the cable."""

    def setUp(self):
        super().setUp()
        self.random = random.Random(7)
        self.count = 300
        self.server = self.serve(name="server")
        self.wire = self.cable.socket("client")
        self.tap = self.cable.socket("server")
        self.addCleanup(self.wire.close)
        self.addCleanup(self.tap.close)
        self.peer = self.start_client("pingpong", "-i", f"--count={self.count}", "--warmup=1",
                                      "--size=200", name="peer", input_pipe=True)
        self.peer.expect(harness.PROMPT)
        self.run_peer(1)
        self.settle()
        self.frames = [frame for frame in self.heard() if len(frame) >= HEADER + 24]
        self.sealed = [frame for frame in self.frames if frame[HEADER + TYPE] in (DATA, BUNDLE)]
        self.assertGreaterEqual(len(self.sealed), self.count)
        self.session = self.only_session()

    def run_peer(self, times):
        self.peer.ask("start")
        harness.wait_for(lambda: self.peer.out.count(
            f"{self.count} RPCs completed, 0 failed, 0 corrupt") == times, "the peer's RPCs")

    def heard(self):
        """What arrived at the server since the last time, as the client's frames to it."""
        frames = []
        while select.select([self.tap], [], [], 0)[0]:
            frame, address = self.tap.recvfrom(65535)
            if address[2] != 4:  # PACKET_OUTGOING
                frames.append(frame)
        return frames

    def only_session(self):
        lines = [line.split() for line in self.server.ask("show sessions").splitlines()]
        names = [words[0] for words in lines if len(words) > 5 and words[0][0].isdigit()]
        self.assertEqual(len(names), 1, lines)
        return names[0]

    def settle(self):
        """Waits until all that has arrived is counted, and returns the server's counters: its loop
        has taken several turns, and its control thread what it was given, without a change."""
        def quiet():
            first = self.server.counters()
            turns = first.get("lcore.loops", 0) + TURNS
            harness.wait_for(lambda: self.server.counters("lcore.loops").get("lcore.loops", 0)
                             >= turns, "turns of the loop")
            last = self.server.counters()
            taken = last.get("control.received", 0) == last.get("frames.to_control", 0)
            busy = {name for name in {*first, *last} - MOVING if first.get(name) != last.get(name)}
            return last if taken and not busy else None
        return harness.wait_for(quiet, "a quiet cable")

    def inject(self, frames, at_once=250):
        """Sends the frames, and returns how the server's counters changed, once it has them. With
        fewer at once than the receiving ring holds none is lost on the way."""
        before = self.settle()
        lossless = at_once <= RING
        for number, frame in enumerate(frames, 1):
            self.send(frame)
            if lossless and (number % at_once == 0 or number == len(frames)):
                self.wait_for_received(before.get("frames.received", 0) + number)
        after = self.settle()
        return {name: value - before.get(name, 0) for name, value in after.items()
                if value != before.get(name, 0)}

    def send(self, frame):
        """Sends one frame as the client; the kernel may have to be asked again."""
        while True:
            try:
                self.wire.send(frame)
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                time.sleep(0.001)

    def wait_for_received(self, count):
        harness.wait_for(lambda: self.server.counters("frames.received").get("frames.received", 0)
                         >= count, "the frames' arrival")

    def assert_harmless(self, change, sent, causes=()):
        """All arrived, were dropped for one of the causes, and nothing was believed."""
        self.assertGreaterEqual(change.get("frames.received", 0), sent * 0.9, change)
        dropped = {name: value for name, value in change.items()
                   if name.startswith(("dropped.", "handshake.dropped.", "resets.ignored"))}
        if causes:
            self.assertGreaterEqual(sum(dropped.get(cause, 0) for cause in causes), sent * 0.9,
                                    change)
        for believed in ("requests.delivered", "oneway.delivered", "sessions.up", "sessions.down",
                         "lanes.installed", "lanes.ended", "keys.updated", "resets.obeyed",
                         "packets.retransmitted"):
            self.assertEqual(change.get(believed, 0), 0, change)
        self.assertEqual(self.only_session(), self.session)

    def go_on(self):
        """The peer's session works as before, and a stranger is served too."""
        self.run_peer(2)
        self.assertEqual(self.only_session(), self.session)
        self.peer.say("quit")
        self.assertEqual(self.peer.wait(), 0, self.peer.story())
        self.assertEqual(self.server.terminate(), 0, self.server.story())
        self.assertIn(", 0 corrupt", self.server.out)

    def changed(self, frame, at, value):
        out = bytearray(frame)
        out[at] = value
        return bytes(out)

    def renumbered(self, frames, times):
        """Frames whose numbers were never used: only their tags can give them away."""
        counted = [frame for frame in frames if frame[NUMBER] & 0x80]
        self.assertGreater(len(counted), 0)
        out = []
        for ahead in range(times):
            frame = bytearray(counted[ahead % len(counted)])
            number = struct.unpack_from(">Q", frame, NUMBER)[0]
            struct.pack_into(">Q", frame, NUMBER, number + 100_000 + ahead)
            out.append(bytes(frame))
        return out

    def test_replayed_into_the_live_session(self):
        for _ in range(3):
            change = self.inject(self.sealed)
            self.assert_harmless(change, len(self.sealed),
                                 ("dropped.replay", "dropped.duplicate", "dropped.late"))
        self.inject([frame for frame in self.frames if frame not in self.sealed])
        self.assertEqual(self.only_session(), self.session)
        self.go_on()

    def test_flipped_bits(self):
        flipped = []
        for frame in self.sealed[:100]:
            at = self.random.randrange(HEADER + 48, len(frame))
            flipped.append(self.changed(frame, at, frame[at] ^ (1 << self.random.randrange(8))))
        self.assert_harmless(self.inject(flipped), len(flipped), (
            "dropped.tag", "dropped.replay", "dropped.duplicate", "dropped.late"))
        fresh = self.renumbered(self.sealed, 200)
        self.assert_harmless(self.inject(fresh), len(fresh), ("dropped.tag",))
        headers = [self.changed(frame, HEADER + at, frame[HEADER + at] ^ (1 << bit))
                   for frame in self.sealed[-2:] for at in range(48) for bit in range(8)
                   if at not in NOT_AUTHENTICATED]
        change = self.inject(headers)
        self.assert_harmless(change, len(headers), (
            "dropped.tag", "dropped.version", "dropped.unknown_type", "dropped.unknown_session",
            "dropped.epoch", "dropped.malformed", "dropped.short", "dropped.replay",
            "dropped.duplicate", "dropped.late", "handshake.dropped.malformed",
            "limit.reset_rate", "resets.ignored"))
        self.assertGreater(change["dropped.version"], 0)
        self.assertGreater(change["dropped.unknown_session"], 0)
        self.go_on()

    def test_cut_short(self):
        frame = self.sealed[-1]
        raw = [frame[:length] for length in range(15, len(frame))]
        self.assert_harmless(self.inject(raw), len(raw))
        # Cut where the length fields say so too.
        cut = []
        for length in range(len(frame) - HEADER):
            out = bytearray(frame[:HEADER + length])
            struct.pack_into(">H", out, ETHERNET + 2, IPV4 + UDP + length)
            struct.pack_into(">H", out, ETHERNET + 10, 0)
            struct.pack_into(">H", out, ETHERNET + 10, checksum(out[ETHERNET:ETHERNET + IPV4]))
            struct.pack_into(">H", out, ETHERNET + IPV4 + 4, UDP + length)
            cut.append(bytes(out))
        change = self.inject(cut)
        self.assert_harmless(change, len(cut), ("dropped.short", "dropped.tag", "dropped.replay",
                                                "dropped.duplicate", "dropped.late"))
        self.assertGreater(change["dropped.short"], 20)
        self.go_on()

    def test_garbage_at_full_rate(self):
        frame = self.sealed[-1]
        # Few, again and again, so that the rate is the cable's and not this program's.
        garbage = [frame[:HEADER] + self.random.randbytes(len(frame) - HEADER) for _ in range(64)]
        garbage += [self.random.randbytes(self.random.randrange(60, 1500)) for _ in range(64)]
        garbage += [frame[:12] + self.random.randbytes(100) for _ in range(64)]
        garbage += [frame[:ETHERNET] + self.random.randbytes(100) for _ in range(64)]
        times = 100
        change = self.inject(garbage * times, at_once=len(garbage) * times + 1)
        self.assertGreater(change["frames.received"], len(garbage))
        for cause in ("dropped.version", "dropped.frame_other"):
            self.assertGreater(change.get(cause, 0), 0, change)
        self.assertEqual(change.get("requests.delivered", 0), 0)
        self.assertEqual(self.only_session(), self.session)
        self.go_on()

    def test_forged_packets_of_every_type(self):
        frame = max(self.sealed, key=len)
        for kind in (DATA, BUNDLE, HANDSHAKE, RESET, 0, 5, 255):
            forged = []
            for _ in range(100):
                out = bytearray(frame)
                out[HEADER + TYPE] = kind
                out[NUMBER:] = self.random.randbytes(len(frame) - NUMBER)
                if kind == BUNDLE:  # A counter, and nothing in clear: up to the tag all is well.
                    out[NUMBER] |= 0x80
                    out[HEADER + 24:HEADER + 26] = b"\0\0"
                forged.append(bytes(out))
            change = self.inject(forged)
            self.assert_harmless(change, len(forged))
            self.assertGreater(sum(value for name, value in change.items()
                                   if "dropped." in name or name == "resets.ignored"), 90, change)
            if kind == BUNDLE:
                self.assertGreater(change.get("dropped.tag", 0), 0, change)
            if kind not in (DATA, BUNDLE, HANDSHAKE, RESET):
                self.assertGreater(change.get("dropped.unknown_type", 0), 0, change)
        self.go_on()

    def test_the_client_is_attacked_too(self):
        wire = self.tap
        with self.cable.socket("client") as tap:
            self.run_peer(2)
            answers = []
            while select.select([tap], [], [], 0)[0]:
                found, address = tap.recvfrom(65535)
                if address[2] != 4 and len(found) > HEADER + 24:
                    answers.append(found)
        self.assertGreaterEqual(len(answers), self.count)
        before = self.peer.counters()
        for frame in answers + self.renumbered(answers, 100):
            wire.send(frame)
        harness.wait_for(lambda: self.peer.counters().get("dropped.tag", 0) >= 90,
                         "forgeries at the client")
        after = self.peer.counters()
        self.assertEqual(after["rpc.completed"], before["rpc.completed"])
        self.assertGreater(after.get("dropped.replay", 0) + after.get("dropped.duplicate", 0)
                           + after.get("dropped.late", 0), 0, after)
        self.run_peer(3)
        self.assertEqual(self.server.terminate(), 0, self.server.story())


def checksum(header):
    """The Internet checksum of a header whose own field is zero."""
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


if __name__ == "__main__":
    harness.main()
