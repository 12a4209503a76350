#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A process is killed in mid-transfer: the other says so, frees everything, and goes on."""

import os
import re
import signal

import harness
import veth

TIMEOUT = "--peer-timeout=3s"
BUSY = ("--size=100000", "--count=100M", "--outstanding=16", "--warmup=1")


class Killing:
    """The same scenes over any device that two processes can share: see serve and start_client."""

    def wait_for_traffic(self, server, least=50):
        harness.wait_for(lambda: server.counters("requests.").get("requests.delivered", 0) > least,
                         "requests at the server")

    def wait_until_clean(self, server):
        harness.wait_for(lambda: "no session" in server.ask("show sessions"),
                         "the end of the dead peer's session")
        self.assertRegex(server.ask("show messages"), r"in flight: 0\n")
        server.expect(r"session \w+ with \S+ has ended: unavailable")

    def stop_in_flight(self, process, server):
        """Stops it while the server waits for it: a peer that dies when nothing is under way is
        missed only after the idle time-out. A sender of files waits for its disk now and then."""
        for self.stops in range(1, 1000):
            process.send(signal.SIGSTOP)
            if re.search(r"in flight: [1-9]", server.ask("show messages")):
                return
            process.send(signal.SIGCONT)
        self.fail("nothing was ever under way")

    def short_job(self):
        json = self.json_path("after")
        process = self.start_client("pingpong", "--count=200", "--warmup=1", f"--json={json}",
                                    name=f"after{len(self.processes)}")
        self.assertEqual(process.wait(), 0, process.story())
        self.assert_served(harness.Report(json), 200)

    def test_client_is_killed(self):
        server = self.serve(TIMEOUT)
        for round_number in range(2):
            before = server.counters().get("requests.delivered", 0)
            client = self.start_client("rate", *BUSY)
            self.wait_for_traffic(server, before + 50)
            client.kill()
            self.wait_until_clean(server)
            self.short_job()
            self.assertEqual(server.counters("peers.lost")["peers.lost"], round_number + 1)
        self.assertEqual(server.terminate(), 0, server.story())
        self.assertIn(", 0 corrupt", server.out)

    def test_server_is_killed(self):
        server = self.serve(TIMEOUT, name="first")
        client = self.start_client("rate", *BUSY, TIMEOUT, f"--json={self.json_path()}")
        self.wait_for_traffic(server)
        server.kill()
        self.assertEqual(client.wait(), 1, client.story())
        self.assertIn("unavailable", client.err)
        report = harness.Report(self.json_path())
        self.assertEqual(report.value("rpc.failed"), 16, "each call in flight ends once")
        self.assertEqual(report.value("rpc.corrupt"), 0)
        self.serve(TIMEOUT, name="second")
        self.short_job()


class PacketSocket(Killing, veth.VethCase):
    """Over net_af_packet, between two namespaces."""

    def sparse_file(self):
        path = self.folder / "long.bin"
        with path.open("wb") as file:
            file.truncate(1 << 30)
        return path

    def receiver(self, folder, **options):
        return self.serve(f"--dir={folder}", TIMEOUT, mode="recvfile", **options)

    def test_receiver_of_a_file_is_killed(self):
        folder = self.folder / "in"
        folder.mkdir()
        receiver = self.receiver(folder, name="first")
        sender = self.start_client("sendfile", self.sparse_file(), TIMEOUT)
        self.wait_for_traffic(receiver, 3)
        receiver.kill()
        self.assertEqual(sender.wait(), 1, sender.story())
        self.assertNotIn("long.bin", os.listdir(folder))
        self.receiver(folder, name="second")
        file = self.file(100_000)
        self.client("sendfile", file)
        self.assertEqual((folder / file.name).read_bytes(), file.read_bytes())

    def test_sender_of_a_file_is_killed(self):
        folder = self.folder / "in"
        folder.mkdir()
        receiver = self.receiver(folder)
        sender = self.start_client("sendfile", self.sparse_file(), TIMEOUT)
        self.wait_for_traffic(receiver, 3)
        self.stop_in_flight(sender, receiver)
        sender.kill()
        self.wait_until_clean(receiver)
        self.assertNotIn("long.bin", os.listdir(folder))
        file = self.file(100_000)
        self.client("sendfile", file)
        self.assertEqual((folder / file.name).read_bytes(), file.read_bytes())
        receiver.terminate()
        self.assertRegex(receiver.out, r"1 files received, 0 of them wrong")
        self.assertEqual(os.listdir(folder), [file.name])

    def test_client_of_a_killed_server_hears_from_the_new_one(self):
        server = self.serve(name="first")
        client = self.start_client("pingpong", "-i", "--count=100", "--warmup=1", input_pipe=True)
        client.expect(harness.PROMPT)
        client.say("start")
        client.expect("100 RPCs completed, 0 failed")
        server.kill()
        # The session is quiet: nothing tells the client until it calls and the new server, which
        # knows nothing of the session, says so.
        server = self.serve(name="second")
        client.say("start")
        client.expect("0 RPCs completed, [1-9]")
        harness.wait_for(lambda: "no session" in client.ask("show sessions"), "the session's end")
        self.assertGreater(server.counters("dropped.").get("dropped.unknown_session", 0), 0)
        self.short_job()


class Vhost(Killing, harness.Case):
    """Over net_vhost and net_virtio_user, which share the client's memory."""

    def setUp(self):
        super().setUp()
        self.psk = self.key()
        self.socket = self.folder / "vhost.sock"

    def serve(self, *arguments, **options):
        return self.server("--shared-memory", f"--port=net_vhost0,iface={self.socket}",
                           "--address=10.0.0.2/24", self.psk, *arguments,
                           **options)

    def start_client(self, mode, *arguments, **options):
        return self.sluice(mode, "--shared-memory", f"--port=net_virtio_user0,path={self.socket}",
                           "--address=10.0.0.1/24", "--peer=10.0.0.2", self.psk,
                           *arguments, **options)


class Memif(Killing, harness.Case):
    """Over net_memif: the rings that both share go with the peer."""

    def setUp(self):
        super().setUp()
        self.psk = self.key()

    def port(self, role):
        return f"--port=net_memif0,role={role},socket={self.folder}/m,socket-abstract=no"

    def serve(self, *arguments, **options):
        return self.server(self.port("server"), "--address=10.0.0.2/24", self.psk, *arguments,
                           **options)

    def start_client(self, mode, *arguments, **options):
        return self.sluice(mode, self.port("client"), "--address=10.0.0.1/24", "--peer=10.0.0.2",
                           self.psk, *arguments, **options)


if __name__ == "__main__":
    harness.main()
