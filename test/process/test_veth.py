#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two processes in two network namespaces, over net_af_packet, watched by tcpdump and tshark."""

import hashlib
import os
import signal
import struct
import subprocess

import harness
import veth

CANARY = b"canary in plaintext, 32 bytes :-"


def pcap_frames(path):
    """The frames of a capture file."""
    data = path.read_bytes()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<"}[data[:4]]
    at, frames = 24, []
    while at + 16 <= len(data):
        length = struct.unpack_from(order + "I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


class Watched(veth.VethCase):
    """What both ends do while a third party listens."""

    def watch(self):
        """Records what arrives at either end: net_af_packet bypasses what would show the rest."""
        self.need_program("tcpdump", "tshark")
        self.watchers = {}
        for side in ("client", "server"):
            capture = self.folder / f"at-{side}.pcap"
            self.watchers[capture] = self.program(
                *self.cable.inside(side), "tcpdump", "-Z", "root", "-U", "-s", 0, "-B", 32768,
                "--immediate-mode", "-i", self.cable.interfaces[side], "-w", capture,
                name=f"tcpdump-{side}")
        for watcher in self.watchers.values():
            watcher.expect("listening on")

    def stop_watching(self):
        """Returns the two captures, with all in them that was sent before."""
        mark = b"\xff" * 12 + b"\x88\xb5" + os.urandom(46)
        for side in ("client", "server"):
            with self.cable.socket(side) as wire:
                wire.send(mark)
        for capture, watcher in self.watchers.items():
            harness.wait_for(lambda seen=capture: mark in seen.read_bytes(), "the mark's record")
            watcher.send(signal.SIGINT)
            watcher.wait()
        return list(self.watchers)

    def tshark(self, capture, wanted, *fields):
        words = ["tshark", "-n", "-r", str(capture), "-o", "ip.check_checksum:TRUE",
                 "-o", "udp.check_checksum:TRUE", "-Y", wanted, "-T", "fields",
                 # Source ports are drawn, and some that may be drawn are other protocols'.
                 "-d", "udp.port==49152-65535,data"]
        for field in fields:
            words += ["-e", field]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def check_with_tshark(self, capture, *, v6, native, vlan):
        network = "ipv6" if v6 else "ip"
        sluice = f"{network}.{'nxt' if v6 else 'proto'}=={253 if native else 17}"
        packets = self.tshark(capture, sluice, "frame.number", "vlan.id", "udp.checksum.status",
                              "ip.checksum.status", "ip.flags.df")
        self.assertGreater(len(packets), 50)
        self.assertEqual({packet[1] for packet in packets}, {str(vlan) if vlan else ""})
        statuses = {packet[2] for packet in packets}
        if native:
            self.assertEqual(statuses, {""})
        elif v6:
            self.assertEqual(statuses, {"1"}, "UDP over IPv6 needs a right checksum")
        else:
            # 3 is "not there", which IPv4 allows and the devices that compute none get.
            self.assertLessEqual(statuses, {"1", "3"})
        if not v6:
            self.assertEqual({packet[3] for packet in packets}, {"1"})
            self.assertTrue(all(packet[4] in ("1", "True") for packet in packets))
        broken = self.tshark(capture, "_ws.malformed || ip.checksum.status==0 || "
                             "udp.checksum.status==0", "frame.number")
        self.assertEqual(broken, [])

    def exchange(self, *arguments, v6=False, native=False, vlan=0, mtu=1500, device=""):
        """RPCs and a canary file; then what was on the cable is looked at."""
        words = [*arguments, *(["--native-ip"] if native else []),
                 *([f"--vlan={vlan}"] if vlan else [])]
        file = self.folder / "canary.bin"
        file.write_bytes(CANARY * 16384)
        folder = self.folder / "in"
        folder.mkdir()
        self.watch()
        server = self.serve(*words, v6=v6, device=device, name="server")
        self.rpcs(300, "--workload=W3", *words, v6=v6, device=device)
        self.assertEqual(server.terminate(), 0, server.story())
        receiver = self.sluice("recvfile", f"--dir={folder}", "--count=1", *words,
                               *self.place("server", v6=v6, device=device),
                               before=self.cable.inside("server"))
        receiver.expect("start-up: ")
        self.client("sendfile", file, *words, v6=v6, device=device)
        self.assertEqual(receiver.wait(), 0, receiver.story())
        self.assertEqual(hashlib.sha256((folder / file.name).read_bytes()).digest(),
                         hashlib.sha256(file.read_bytes()).digest())
        frames = []
        for capture in self.stop_watching():
            self.check_with_tshark(capture, v6=v6, native=native, vlan=vlan)
            frames += pcap_frames(capture)
        self.assertFalse(any(CANARY[:16] in frame for frame in frames), "plaintext on the cable")
        longest = max(len(frame) for frame in frames)
        self.assertLessEqual(longest, mtu + 14 + (4 if vlan else 0))
        return longest

    def test_ipv4(self):
        self.assertGreater(self.exchange(), 1400)

    def test_ipv6(self):
        self.assertGreater(self.exchange(v6=True), 1400)

    def test_vlan_over_ipv4(self):
        self.exchange(vlan=42)

    def test_vlan_over_ipv6(self):
        self.exchange(v6=True, vlan=4094)

    def test_native_protocol_over_ipv4(self):
        self.exchange(native=True)

    def test_native_protocol_over_ipv6(self):
        self.exchange(v6=True, native=True)

    def test_canary_is_seen_when_nothing_is_sealed(self):
        self.psk = "--cipher=plaintext"
        file = self.folder / "canary.bin"
        file.write_bytes(CANARY * 2048)
        self.watch()
        receiver = self.sluice("recvfile", f"--dir={self.folder}", "--count=1", "--overwrite",
                               *self.place("server"), before=self.cable.inside("server"))
        receiver.expect("start-up: ")
        self.client("sendfile", file)
        self.assertEqual(receiver.wait(), 0, receiver.story())
        frames = [frame for capture in self.stop_watching() for frame in pcap_frames(capture)]
        self.assertTrue(any(CANARY in frame for frame in frames))


class Jumbo(Watched):
    """Frames of 9000 bytes; only the tests named here, not the others again."""

    mtu = 9000

    def test_ipv4(self):
        self.assertGreater(self.exchange(mtu=9000), 8900)

    def test_ipv6(self):
        self.assertGreater(
            self.exchange(v6=True, mtu=9000, device=",framesz=16384,blocksz=65536,framecnt=256"),
            8900)

    test_vlan_over_ipv4 = test_vlan_over_ipv6 = None
    test_native_protocol_over_ipv4 = test_native_protocol_over_ipv6 = None
    test_canary_is_seen_when_nothing_is_sealed = None


if __name__ == "__main__":
    harness.main()
