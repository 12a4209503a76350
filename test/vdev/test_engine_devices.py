#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Engines in two processes, over memif, af_packet between namespaces, vhost, pcap and null.

usage: test_engine_devices.py ENGINE_PEER [unittest arguments]
"""

import os
import queue
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PEER = None
IS_ROOT = os.geteuid() == 0
SECONDS = 120  # How long anything may take that takes a second on an idle machine.
MORTAL = "peer-ms=2000"  # Given to whoever is to notice that its peer is dead.
FOR_EVER = "count=1000000000"


class Process:
    """An engine_peer whose output lines can be waited for."""

    def __init__(self, role, *arguments, netns=None, user=None, cpus=None):
        command = [PEER, role, *arguments]
        if cpus:
            command = ["taskset", "-c", cpus, *command]
        if user:
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
        if netns:
            command = ["ip", "netns", "exec", netns, *command]
        self.lines = []
        self.queue = queue.Queue()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.queue.put(line.rstrip("\n"))
        self.queue.put(None)

    def wait_for(self, start, timeout=SECONDS):
        """The first new line that begins with `start`; fails with all output when none comes."""
        until = time.monotonic() + timeout
        while True:
            try:
                line = self.queue.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no line '{start}' from {self.process.args}: {self.lines}")
            self.lines.append(line)
            if line.startswith(start):
                return line

    def finish(self, timeout=SECONDS):
        """Waits for the end; returns the exit status."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"{self.process.args} does not end: {self.lines}") from None
        self.reader.join()
        while not self.queue.empty():
            line = self.queue.get()
            if line is not None:
                self.lines.append(line)
        self.process.stdout.close()
        return status

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        return self.finish()

    def kill(self):
        self.process.kill()
        return self.finish()

    def counter(self, name):
        """Sum over the lcores."""
        return sum(int(line.split()[2]) for line in self.lines
                   if line.startswith(f"counter {name} "))


def result_of(line):
    return dict(pair.split("=") for pair in line.split()[1:])


def count_frames(recording):
    with open(recording, "rb") as file:
        data = file.read()
    at, count = 24, 0
    while at + 16 <= len(data):
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
        count += 1
    return count


class DeviceTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="sluice-vdev-")
        self.processes = []

    def tearDown(self):
        for process in self.processes:
            if process.process.poll() is None:
                process.kill()
        shutil.rmtree(self.folder)

    def start(self, role, *arguments, **options):
        process = Process(role, *arguments, **options)
        self.processes.append(process)
        return process

    def serve(self, *arguments, **options):
        server = self.start("serve", *arguments, **options)
        server.wait_for("ready")
        return server

    def check_calls(self, client, count):
        result = result_of(client.wait_for("result"))
        self.assertEqual(int(result["completed"]), count, client.lines)
        self.assertEqual(int(result["corrupt"]), 0)
        return result

    def check_killed_server(self, server, client):
        """In the middle of its answers: the client says so, and each of its calls ends."""
        client.wait_for("flowing")
        server.kill()
        self.assertEqual(client.finish(), 0, client.lines)
        self.assertIn("down unavailable", client.lines)
        result = result_of(next(line for line in client.lines if line.startswith("result")))
        self.assertGreaterEqual(int(result["completed"]), 100)
        self.assertEqual(int(result["corrupt"]), 0)
        self.assertEqual(result["last"], "unavailable")

    def check_killed_client(self, server, client):
        client.wait_for("flowing")
        client.kill()
        server.wait_for("down unavailable")


class Memif(DeviceTest):

    def devices(self, **more):
        extra = "".join(f",{key}={value}" for key, value in more.items())
        socket = f"socket={self.folder}/memif.sock,socket-abstract=no{extra}"
        return f"device=net_memif0,role=server,{socket}", f"device=net_memif0,role=client,{socket}"

    def pair(self, server_arguments=(), client_arguments=(), **options):
        server_device, client_device = self.devices()
        server = self.serve(server_device, "address=10.1.0.2/24;fd01::2/64", *server_arguments,
                            **options)
        client = self.start("call", client_device, "address=10.1.0.1/24;fd01::1/64",
                            *client_arguments, **options)
        return server, client

    def test_calls_and_graceful_end(self):
        for peer in ("10.1.0.2", "fd01::2"):
            with self.subTest(peer):
                server, client = self.pair((), (f"peer={peer}", "count=20000", "outstanding=32"))
                self.check_calls(client, 20000)
                self.assertEqual(client.finish(), 0, client.lines)
                self.assertEqual(server.terminate(), 0, server.lines)
                self.assertIn("stopped OK", server.lines)

    def test_large_messages_and_jumbo_frames(self):
        for mtu in ("1500", "9000"):
            with self.subTest(mtu):
                server, client = self.pair((f"mtu={mtu}",), (f"mtu={mtu}", "peer=10.1.0.2",
                                                            "count=50", "size=500000"))
                self.check_calls(client, 50)
                self.assertEqual(client.finish(), 0, client.lines)
                self.assertEqual(server.terminate(), 0, server.lines)

    def test_server_restarts_between_sessions(self):
        server, client = self.pair((), ("peer=10.1.0.2", "count=100"))
        self.check_calls(client, 100)
        self.assertEqual(client.finish(), 0)
        self.assertEqual(server.terminate(), 0)
        server, client = self.pair((), ("peer=10.1.0.2", "count=100"))
        self.check_calls(client, 100)
        self.assertEqual(client.finish(), 0)
        self.assertEqual(server.terminate(), 0)

    def test_killed_server_is_reported_and_its_successor_accepted(self):
        server, client = self.pair((), ("peer=10.1.0.2", FOR_EVER, MORTAL, "size=1000",
                                        "outstanding=64"))
        self.check_killed_server(server, client)
        server, client = self.pair((), ("peer=10.1.0.2", "count=100"))
        self.check_calls(client, 100)
        self.assertEqual(client.finish(), 0, client.lines)
        self.assertEqual(server.terminate(), 0, server.lines)

    def test_killed_client_is_noticed_and_its_successor_accepted(self):
        server, client = self.pair((MORTAL,), ("peer=10.1.0.2", FOR_EVER, "size=1000",
                                               "outstanding=64"))
        self.check_killed_client(server, client)
        again = self.start("call", self.devices()[1], "address=10.1.0.1/24;fd01::1/64",
                           "peer=10.1.0.2", "count=500")
        self.check_calls(again, 500)
        self.assertEqual(again.finish(), 0, again.lines)
        self.assertEqual(server.terminate(), 0, server.lines)

    def test_unprivileged(self):
        if not IS_ROOT or not shutil.which("setpriv"):
            self.skipTest("needs root and setpriv, to become somebody else")
        os.chmod(self.folder, 0o777)
        server, client = self.pair((), ("peer=10.1.0.2", "count=1000"), user=65534)
        self.check_calls(client, 1000)
        self.assertEqual(client.finish(), 0, client.lines)
        self.assertEqual(server.terminate(), 0, server.lines)

    def test_one_cpu_for_both(self):
        if not shutil.which("taskset"):
            self.skipTest("needs taskset")
        server, client = self.pair((), ("peer=10.1.0.2", "count=1000"), cpus="0")
        self.check_calls(client, 1000)
        self.assertEqual(client.finish(), 0, client.lines)
        self.assertGreater(client.counter("lcore.yields"), 0)
        self.assertEqual(server.terminate(), 0, server.lines)

    def test_start_to_first_packet(self):
        server, client = self.pair((), ("peer=10.1.0.2", "count=1"))
        self.check_calls(client, 1)
        self.assertEqual(client.finish(), 0)
        startup = [line for line in client.lines if line.startswith("startup_ms")]
        self.assertEqual(len(startup), 1)
        server.terminate()


class AfPacket(DeviceTest):

    def setUp(self):
        super().setUp()
        if not IS_ROOT:
            self.skipTest("needs root, for network namespaces")
        self.names = [f"sluice{os.getpid()}{side}" for side in "ab"]
        for name in self.names:
            done = subprocess.run(["ip", "netns", "add", name], stderr=subprocess.PIPE, text=True,
                                  check=False)
            if done.returncode != 0:
                self.skipTest(f"no network namespaces here: {done.stderr.strip()}")
        self.cable(1500)

    def cable(self, mtu):
        a, b = self.names
        self.ip("link", "add", "sl0", "mtu", str(mtu), "netns", a, "type", "veth", "peer", "name",
                "sl0", "mtu", str(mtu), "netns", b)
        for name in self.names:
            self.ip("-n", name, "link", "set", "sl0", "up")

    def recable(self, mtu):
        self.ip("-n", self.names[0], "link", "del", "sl0")
        self.cable(mtu)

    @staticmethod
    def ip(*arguments):
        subprocess.run(["ip", *arguments], check=True)

    def tearDown(self):
        super().tearDown()
        for name in getattr(self, "names", []):
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL, check=False)

    def run_pair(self, server_arguments=(), client_arguments=()):
        device = "device=net_af_packet0,iface=sl0"
        server = self.serve(device, "address=10.2.0.2/24;fd02::2/64", *server_arguments,
                            netns=self.names[1])
        client = self.start("call", device, "address=10.2.0.1/24;fd02::1/64", *client_arguments,
                            netns=self.names[0])
        return server, client

    def test_calls_over_both_families(self):
        for peer in ("10.2.0.2", "fd02::2"):
            with self.subTest(peer):
                server, client = self.run_pair((), (f"peer={peer}", "count=2000"))
                self.check_calls(client, 2000)
                self.assertEqual(client.finish(), 0, client.lines)
                self.assertEqual(server.terminate(), 0, server.lines)

    def test_jumbo_frames(self):
        self.recable(9000)
        server, client = self.run_pair((), ("peer=10.2.0.2", "count=30", "size=300000"))
        self.check_calls(client, 30)
        self.assertEqual(client.finish(), 0, client.lines)
        self.assertEqual(server.terminate(), 0, server.lines)

    def test_native_protocol_and_vlan(self):
        for arguments in (("native=1",), ("vlan=7",)):
            with self.subTest(arguments):
                server, client = self.run_pair(arguments, ("peer=10.2.0.2", *arguments))
                self.check_calls(client, 1000)
                self.assertEqual(client.finish(), 0, client.lines)
                self.assertEqual(server.terminate(), 0, server.lines)

    def test_two_lcores_and_queue_pairs(self):
        server, client = self.run_pair(("lcores=2",), ("peer=10.2.0.2", "count=2000"))
        self.check_calls(client, 2000)
        self.assertEqual(client.finish(), 0, client.lines)
        self.assertEqual(server.terminate(), 0, server.lines)
        steering = [line for line in server.lines if line.startswith("feature steering")]
        self.assertEqual(len(steering), 1)
        self.assertIn("software", steering[0])
        self.assertEqual(server.counter("requests.delivered"), 2000)

    def test_killed_server_is_reported_and_its_successor_accepted(self):
        server, client = self.run_pair((), ("peer=10.2.0.2", FOR_EVER, MORTAL, "outstanding=4"))
        self.check_killed_server(server, client)
        server, client = self.run_pair((), ("peer=10.2.0.2", "count=100"))
        self.check_calls(client, 100)
        client.finish()
        server.terminate()

    def test_killed_client_is_noticed_and_its_successor_accepted(self):
        server, client = self.run_pair((MORTAL,), ("peer=10.2.0.2", FOR_EVER))
        self.check_killed_client(server, client)
        again = self.start("call", "device=net_af_packet0,iface=sl0",
                           "address=10.2.0.1/24;fd02::1/64", "peer=10.2.0.2", "count=500",
                           netns=self.names[0])
        self.check_calls(again, 500)
        self.assertEqual(again.finish(), 0, again.lines)
        self.assertEqual(server.terminate(), 0, server.lines)

    def test_wrong_key_ends_on_both_sides_with_a_reason(self):
        server, client = self.run_pair(("psk=8",), ("peer=10.2.0.2",))
        client.wait_for("ready")
        start = time.monotonic()
        failure = client.wait_for("connect failed")
        print(f"a wrong key ended the connect after {time.monotonic() - start:.2f} s")
        self.assertIn("PERMISSION_DENIED", failure)
        self.assertIn("pre-shared key", failure)
        self.assertIn("pre-shared key", server.wait_for("refused"))
        self.assertEqual(client.finish(), 2)
        self.assertEqual(server.terminate(), 0)

    def test_recorded_session_is_readable_and_its_replay_rejected(self):
        recording = os.path.join(self.folder, "session.pcap")
        server, client = self.run_pair((), ("peer=10.2.0.2", "count=200", f"capture={recording}"))
        self.check_calls(client, 200)
        self.assertEqual(client.finish(), 0, client.lines)
        self.assertEqual(server.terminate(), 0, server.lines)
        self.check_with_tcpdump(recording)
        replayed = self.replay(recording)
        self.assertGreater(replayed.counter("dropped.unknown_session"), 0, replayed.lines)
        self.assertEqual(replayed.counter("requests.delivered"), 0)
        self.assertEqual(replayed.counter("sessions.up"), 0)

    def test_replay_into_the_live_session_changes_nothing(self):
        recording = os.path.join(self.folder, "live.pcap")
        server, client = self.run_pair((), ("peer=10.2.0.2", "count=200", "linger=1",
                                            f"capture={recording}"))
        self.check_calls(client, 200)
        until = time.monotonic() + SECONDS
        recorded = -1
        while recorded < 1 or count_frames(recording) != recorded:  # Until all is in the file.
            recorded = count_frames(recording)
            self.assertLess(time.monotonic(), until)
            time.sleep(0.2)
        self.send_again(recording, 5)
        self.assertEqual(client.terminate(), 0, client.lines)
        self.assertEqual(server.terminate(), 0, server.lines)
        self.assertEqual(server.counter("requests.delivered"), 200)
        self.assertGreater(server.counter("dropped.replay") + server.counter("dropped.duplicate"),
                           100, server.lines)
        self.assertEqual(server.counter("sessions.up"), 1)

    def send_again(self, recording, times):
        """Sends every recorded frame from the client's end of the cable, as an attacker there."""
        script = (
            "import socket, struct, sys\n"
            "data = open(sys.argv[1], 'rb').read()\n"
            "out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
            "out.bind(('sl0', 0))\n"
            "for _ in range(int(sys.argv[2])):\n"
            "    at = 24\n"
            "    while at + 16 <= len(data):\n"
            "        size = struct.unpack_from('<I', data, at + 8)[0]\n"
            "        frame = data[at + 16:at + 16 + size]\n"
            "        at += 16 + size\n"
            "        if len(frame) == size:\n"
            "            out.send(frame)\n")
        subprocess.run(["ip", "netns", "exec", self.names[0], sys.executable, "-c", script,
                        recording, str(times)], check=True)

    def test_garbage_at_full_rate_does_not_stop_service(self):
        server, client = self.run_pair((), ("peer=10.2.0.2", FOR_EVER))
        client.wait_for("flowing")
        script = (
            "import os, socket, struct, time\n"
            "out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
            "out.bind(('sl0', 0))\n"
            "end = time.monotonic() + 0.7\n"
            "mac = b'\\xff' * 6 + b'\\x02\\0\\0\\0\\0\\x09'\n"
            "while time.monotonic() < end:\n"
            "    body = os.urandom(120)\n"
            "    udp = struct.pack('>HHHH', 50000, 7470, 128, 0) + b'\\0' * 8 + b'\\x71\\x10'\n"
            "    udp += bytes([1 + body[0] % 4]) + body[:109]\n"
            "    size = 20 + len(udp)\n"
            "    head = struct.pack('>BBHHHBBH4s4s', 0x45, 0, size, 0, 0x4000, 64, 17, 0,\n"
            "                       bytes([10, 2, 0, 99]), bytes([10, 2, 0, 2]))\n"
            "    total = sum(struct.unpack('>10H', head))\n"
            "    total = (total & 0xffff) + (total >> 16)\n"
            "    total = ~((total & 0xffff) + (total >> 16)) & 0xffff\n"
            "    head = head[:10] + struct.pack('>H', total) + head[12:]\n"
            "    out.send(mac + b'\\x08\\0' + head + udp)\n"
            "    out.send(mac + b'\\x08\\x06' + body)\n"
            "    out.send(os.urandom(60))\n")
        subprocess.run(["ip", "netns", "exec", self.names[0], sys.executable, "-c", script],
                       check=True)
        client.process.send_signal(signal.SIGTERM)
        result = result_of(client.wait_for("result"))
        self.assertEqual(result["corrupt"], "0")
        client.finish()
        self.assertEqual(server.terminate(), 0, server.lines)
        self.assertGreater(int(result["completed"]), 100)
        self.assertEqual(server.counter("sessions.up"), 1)
        counted = ("dropped.unknown_session", "dropped.short", "dropped.version",
                   "dropped.malformed", "handshake.dropped.malformed",
                   "dropped.frame_malformed", "dropped.frame_other", "frames.to_control")
        self.assertGreater(sum(server.counter(name) for name in counted), 1000)

    def check_with_tcpdump(self, recording):
        if not shutil.which("tcpdump"):
            self.skipTest("needs tcpdump")
        text = subprocess.run(["tcpdump", "-nvvr", recording], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=True).stdout
        self.assertIn("10.2.0.2.7470", text)
        self.assertNotIn("bad cksum", text)
        self.assertNotIn("bad udp cksum", text)
        self.assertIn("who-has 10.2.0.2", text)

    def replay(self, recording):
        server = self.serve(f"device=net_pcap0,rx_pcap={recording},tx_pcap={self.folder}/out.pcap",
                            "address=10.2.0.2/24;fd02::2/64",
                            f"frames={count_frames(recording)}")
        server.wait_for("received")
        self.assertEqual(server.terminate(), 0, server.lines)
        return server


class Vhost(DeviceTest):

    def serve_vhost(self, *arguments):
        return self.serve(f"device=net_vhost0,iface={self.folder}/vhost.sock",
                          "address=10.3.0.2/24", *arguments)

    def call_virtio(self, *arguments):
        client = self.start("call", f"device=net_virtio_user0,path={self.folder}/vhost.sock",
                            "address=10.3.0.1/24", "peer=10.3.0.2", *arguments)
        line = client.wait_for(("ready", "error"))
        if line.startswith("error"):
            self.skipTest(f"virtio_user needs memory that can be shared: {line[6:]}")
        return client

    def test_calls(self):
        server = self.serve_vhost()
        client = self.call_virtio("count=2000")
        self.check_calls(client, 2000)
        self.assertEqual(client.finish(), 0, client.lines)
        self.assertEqual(server.terminate(), 0, server.lines)

    def test_killed_client_is_noticed_and_its_successor_accepted(self):
        server = self.serve_vhost(MORTAL)
        client = self.call_virtio(FOR_EVER)
        self.check_killed_client(server, client)
        again = self.call_virtio("count=500")
        self.check_calls(again, 500)
        self.assertEqual(again.finish(), 0, again.lines)
        server.wait_for("down", 15)
        self.assertEqual(server.terminate(), 0, server.lines)

    def test_killed_server_is_reported(self):
        server = self.serve_vhost()
        client = self.call_virtio(FOR_EVER, MORTAL)
        self.check_killed_server(server, client)


class NoPeer(DeviceTest):

    def test_null_device_counts_what_it_makes_and_calls_end(self):
        client = self.start("call", "device=net_null0", "address=10.4.0.1/24", "peer=10.4.0.2",
                            "connect-ms=300")
        self.assertIn("UNAVAILABLE", client.wait_for("connect failed"))
        self.assertEqual(client.finish(), 2)
        received = client.counter("frames.received")
        self.assertGreater(received, 1000)
        self.assertEqual(client.counter("dropped.frame_malformed") +
                         client.counter("dropped.frame_other"), received)

    def test_mistakes_are_one_line(self):
        cases = (
            ("device=net_nothing0", "no such device"),
            ("device=net_af_packet0,iface=no-such-interface", "cannot open"),
            ("device=net_null0 eal=-l 0,99", "no CPU 99"),
            ("device=net_null0 eal=-m 1", "too little memory"),
            ("device=net_null0 eal=-m 9999999", "too little memory"),
            ("device=net_null0 eal=--vdev=net_nothing1", "no such device"),
            ("device=net_null0 eal=--no-such-option", "unknown EAL argument"),
        )
        for text, says in cases:
            with self.subTest(text):
                device, _, eal = text.partition(" eal=")
                process = self.start("serve", device, "address=10.4.0.1/24", f"eal={eal}")
                self.assertEqual(process.finish(), 1, process.lines)
                self.assertEqual(len(process.lines), 1, process.lines)
                self.assertIn(says, process.lines[0])


if __name__ == "__main__":
    PEER = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
