#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lcores that sleep when nothing comes: over net_tap, which wakes them, and over net_memif."""

import itertools
import os
import re

import harness
import veth

_numbers = itertools.count()


class Bridge(veth.Cable):
    """One namespace in which the interfaces of two net_tap devices are joined by the kernel."""

    def __init__(self):
        super().__init__(mtu=1500)
        self.namespace = f"sluice-{os.getpid()}-b{next(_numbers)}"
        self.namespaces = {"client": self.namespace, "server": self.namespace}
        self.interfaces = {"client": "tap-c", "server": "tap-s"}

    def lay(self):
        veth.ip("netns", "add", self.namespace)
        self.made.append(self.namespace)
        veth.ip("-n", self.namespace, "link", "add", "name", "bridge", "type", "bridge")
        veth.ip("-n", self.namespace, "link", "set", "dev", "bridge", "addrgenmode", "none", "up")

    def plug(self, side):
        """After the program has started: the interface is complete. The kernel's end has the
        device's address, for which the bridge would keep what is for the device; so it gets
        another."""
        veth.ip("-n", self.namespace, "link", "set", "dev", self.interfaces[side], "address",
                {"client": "02:00:00:00:00:01", "server": "02:00:00:00:00:02"}[side])
        veth.ip("-n", self.namespace, "link", "set", "dev", self.interfaces[side], "master",
                "bridge", "addrgenmode", "none", "up")


class Tap(veth.VethCase):
    """Both ends sleep until the kernel tells them of a packet."""

    def setUp(self):
        if not os.path.exists("/dev/net/tun"):
            self.skipTest("no /dev/net/tun")
        super().setUp()

    def lay_cable(self, mtu):
        return self.lay(Bridge())

    def place(self, side, *, v6=False, device=""):
        port = f"--port=net_tap0,iface={self.cable.interfaces[side]}{device}"
        return [port, *super().place(side, v6=v6, device=device)[1:], "--idle=interrupts"]

    def begin(self, *arguments, mode="rate"):
        """A server that sleeps, and a client with a prompt before its work. The driver hears of
        packets by a signal to the process: its threads need CPUs."""
        server = self.serve("--idle-spin=50us", name="server")
        self.cable.plug("server")
        json = self.json_path("client")
        client = self.start_client(mode, "-i", f"--json={json}", *arguments, input_pipe=True,
                                   name="client")
        client.expect("start-up: ")
        self.cable.plug("client")
        client.expect(harness.PROMPT)
        return server, client

    def test_packets_wake_both_ends(self):
        count = 200
        server, client = self.begin(f"--count={count}", "--warmup=1", "--load=200",
                                    "--idle-spin=50us")
        # On a busy machine packets come in heaps, and so many calls wake an lcore less often.
        for _ in range(20):
            said = len(client.out)
            client.ask("start")
            client.expect(f"{count} RPCs completed, 0 failed, 0 corrupt", start=said)
            if all(side.counters("lcore.")["lcore.woken_by_port"] > 50
                   for side in (client, server)):
                break
        for side in (client, server):
            counted = side.counters("lcore.")
            self.assertGreater(counted["lcore.sleeps"], 50, side.story())
            self.assertGreater(counted["lcore.woken_by_port"], 50, side.story())
            self.assertGreater(counted["lcore.slept_ns"], 0)
            self.assertGreaterEqual(counted["lcore.sleeps"], counted["lcore.woken_by_port"])
            self.assertRegex(side.out, r"idle lcores: sleep")
        client.say("quit")
        self.assertEqual(client.wait(), 0, client.story())
        self.assertEqual(server.terminate(), 0, server.story())
        self.assertRegex(server.out, r"messages served, .*, 0 corrupt")

    def test_many_at_once_are_answered_as_ever(self):
        server, client = self.begin("--count=3000", "--warmup=1", "--workload=W3",
                                    "--idle-spin=0us")
        client.ask("start")
        client.expect("3,000 RPCs completed, 0 failed, 0 corrupt")
        client.say("quit")
        self.assertEqual(client.wait(), 0, client.story())
        self.assertEqual(server.terminate(), 0, server.story())


class Others(harness.Case):
    """Devices that tell nobody of a packet."""

    def test_interrupts_are_refused_in_one_line(self):
        for device in ("net_memif0,role=server,socket=@sluice-idle", "net_null0"):
            process = self.run_sluice("serve", f"--port={device}", "--address=10.0.0.1/24",
                                      self.key(), "--idle=interrupts", expect=1)
            self.assertRegex(process.err, r"^sluice: net_\w+0: .*no receive interrupts.*sleep:1ms"
                             r".*\n$")

    def test_a_cable_in_the_process_has_none_either(self):
        process = self.run_sluice("pingpong", "--count=10", "--idle=interrupts", expect=1)
        self.assertRegex(process.err, r"^sluice: \S+: .*no receive interrupts.*\n$")

    def test_steps_answer_everything(self):
        json = self.json_path()
        self.run_sluice("rate", "--count=300", "--load=1000", "--warmup=1", "--idle=sleep:300us",
                        "--idle-spin=0us", f"--json={json}")
        report = harness.Report(json)
        self.assert_served(report, 300)
        self.assertGreater(report.value("lcore.sleeps"), 10)
        self.assertGreater(report.value("lcore.slept_ns"), 0)

    def test_a_file_goes_through_threads_that_wake_lcores(self):
        file = self.file(300_000)
        psk = self.key()
        socket = self.folder / "memif.sock"
        port = f"--port=net_memif0,socket={socket},socket-abstract=no,role="
        folder = self.folder / "in"
        folder.mkdir()
        receiver = self.sluice("recvfile", f"--dir={folder}", "--count=1", port + "server",
                               "--address=10.0.0.2/24", psk, "--idle=sleep:1ms")
        receiver.expect("start-up: ")
        self.run_sluice("sendfile", file, port + "client", "--address=10.0.0.1/24",
                        "--peer=10.0.0.2", psk, "--idle=sleep:1ms", "--idle-spin=0us")
        self.assertEqual(receiver.wait(), 0, receiver.story())
        self.assertEqual((folder / file.name).read_bytes(), file.read_bytes())

    def test_times_that_cannot_be_are_refused(self):
        for option in ("--idle=sleep:1us", "--idle=sleep:2s"):
            process = self.run_sluice("pingpong", "--count=10", option, expect=1)
            self.assertTrue(re.search(r"50 us to 1 s", process.err), process.err)


if __name__ == "__main__":
    harness.main()
