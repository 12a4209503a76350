#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two processes that share memory: net_memif, server and client."""

import hashlib
import re
from pathlib import Path

import harness

V4 = ("--address=10.0.0.2/24", "--address=10.0.0.1/24", "10.0.0.2")
V6 = ("--address=fd00::2/64", "--address=fd00::1/64", "[fd00::2]")


class Memif(harness.Case):
    """Each test has a socket and a key of its own."""

    def setUp(self):
        super().setUp()
        self.psk = self.key()

    def port(self, role):
        socket = self.folder / "memif.sock"
        return f"--port=net_memif0,role={role},socket={socket},socket-abstract=no"

    def serve(self, *arguments, addresses=V4, **options):
        return self.server(self.port("server"), addresses[0], self.psk, *arguments,
                           **options)

    def client(self, mode, *arguments, addresses=V4, **options):
        return self.run_sluice(mode, *arguments, self.port("client"), addresses[1],
                               f"--peer={addresses[2]}", self.psk, **options)

    def rpcs(self, mode, count, *arguments, **options):
        json = self.json_path("client")
        process = self.client(mode, f"--count={count}", f"--json={json}", *arguments, **options)
        report = harness.Report(json)
        self.assert_served(report, count)
        return process, report

    def exchange(self, addresses):
        server = self.serve(addresses=addresses)
        count = 2000
        _, report = self.rpcs("pingpong", count, addresses=addresses)
        self.assertGreater(report.value("rpc.latency", size="all", quantile="p50"), 0)
        self.rpcs("rate", count, "--workload=W3", "--warmup=100", addresses=addresses)
        self.assertEqual(server.terminate(), 0, server.story())
        self.assertRegex(server.out, r"messages served, .*, 0 corrupt")

    def test_rpcs_over_ipv4(self):
        self.exchange(V4)

    def test_rpcs_over_ipv6(self):
        self.exchange(V6)

    def send_file(self, addresses):
        folder = self.folder / "in"
        folder.mkdir()
        file = self.file(10 << 20, "canary.bin")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        receiver = self.sluice("recvfile", f"--dir={folder}", "--count=1", self.port("server"),
                               addresses[0], self.psk, f"--json={self.json_path('receiver')}")
        receiver.expect("start-up: ")
        sender = self.client("sendfile", file, f"--json={self.json_path('sender')}",
                             addresses=addresses)
        self.assertEqual(receiver.wait(), 0, receiver.story())
        self.assertIn(digest, sender.out)
        self.assertIn(digest, receiver.out)
        arrived = folder / file.name
        self.assertEqual(hashlib.sha256(arrived.read_bytes()).hexdigest(), digest)
        self.assertEqual([path.name for path in folder.iterdir()], [file.name])
        for side in ("sender", "receiver"):
            report = harness.Report(self.json_path(side))
            self.assertEqual(report.value("file.sha256_match"), 1)
            self.assertEqual(report.value("file.bytes"), file.stat().st_size)

    def test_file_over_ipv4(self):
        self.send_file(V4)

    def test_file_over_ipv6(self):
        self.send_file(V6)

    def test_file_of_the_same_name_is_refused(self):
        folder = self.folder / "in"
        folder.mkdir()
        file = self.file(50_000)
        (folder / file.name).write_text("was here before")
        receiver = self.sluice("recvfile", f"--dir={folder}", self.port("server"), V4[0], self.psk)
        receiver.expect("start-up: ")
        sender = self.client("sendfile", file, expect=1)
        self.assertIn("--overwrite", sender.err)
        self.assertEqual((folder / file.name).read_text(), "was here before")
        self.assertEqual(receiver.terminate(), 0, receiver.story())

    def test_file_to_a_server_of_rpcs_is_refused(self):
        self.serve()
        sender = self.client("sendfile", self.file(50_000), expect=1)
        self.assertIn("recvfile", sender.err)

    def test_large_messages_are_streamed_one_way(self):
        self.serve()
        json = self.json_path("client")
        self.client("stream", "--size=3M", "--count=20", "--outstanding=2", f"--json={json}")
        self.assert_served(harness.Report(json), 20)

    def record_mode(self, addresses):
        """Every size, and that none but those of a packet travelled otherwise."""
        server = self.serve("--record-mode", addresses=addresses, name="server")
        for size in (1, 1500, 16329, 1_000_000):
            client, report = self.rpcs("pingpong", 10, f"--size={size}", "--record-mode",
                                       addresses=addresses)
            self.assertIn(f"records: record mode ({addresses[2].strip('[]')}:", client.out)
            self.assertEqual(report.value("session.peer", records="record mode"), 1)
            records = report.value("records.sent")
            self.assertEqual(records > 0, size > 1000, f"{records} records for {size} bytes")
            self.assertEqual(report.value("records.received") > 0, size > 1000)
        self.rpcs("rate", 200, "--workload=W3", "--record-mode", addresses=addresses)
        json = self.json_path("client")
        self.client("stream", "--size=8M", "--count=5", "--outstanding=2", "--record-mode",
                    f"--json={json}", addresses=addresses)
        self.assert_served(harness.Report(json), 5)
        counters = server.counters()
        self.assertGreater(counters["records.received"], 2000)
        self.assertEqual(counters.get("dropped.tag", 0), 0)
        self.assertEqual(server.terminate(), 0, server.story())
        self.assertRegex(server.out, r"messages served, .*, 0 corrupt")

    def test_record_mode_over_ipv4(self):
        self.record_mode(V4)

    def test_record_mode_over_ipv6(self):
        self.record_mode(V6)

    def inline(self, addresses, *model):
        """A port that seals on one side, and a peer that knows nothing of it."""
        both = ("--record-mode", "--native-ip")
        server = self.serve(*both, addresses=addresses, name="server")
        client, report = self.rpcs("pingpong", 20, "--size=200000", "--warmup=1", *both,
                                   "--crypto=inline", "--model-nic=4", *model, addresses=addresses)
        self.assertRegex(client.out, r"records: +sealed by the port \(.*not run on hardware")
        self.assertIn("records: record mode, sealed by the port (", client.out)
        self.assertEqual(report.value("session.peer", inline_lanes="1"), 1)
        self.assertGreaterEqual(report.value("records.sent"), 20 * 200_000 // 16_328)
        self.assertEqual(report.value("records.inline"), report.value("records.sent"))
        self.assertGreaterEqual(report.value("inline.resyncs"), 20)
        counters = server.counters()
        self.assertGreaterEqual(counters["records.received"], report.value("records.sent"))
        self.assertEqual(counters.get("records.inline", 0), 0)
        self.assertEqual(counters.get("dropped.tag", 0), 0)
        self.assertEqual(server.terminate(), 0, server.story())
        self.assertRegex(server.out, r"messages served, .*, 0 corrupt")

    def test_inline_crypto_over_ipv4(self):
        self.inline(V4)

    def test_inline_crypto_over_ipv6(self):
        self.inline(V6)

    def test_inline_crypto_by_the_commands_of_a_connectx(self):
        self.inline(V4, "--model-engine=connectx")

    def test_inline_crypto_of_both_sides_with_losses(self):
        both = ("--record-mode", "--native-ip", "--crypto=inline", "--model-nic=4")
        self.serve(*both, "--loss=1%", "--reorder=1%", "--corrupt=0.5%", "--seed=3")
        _, report = self.rpcs("pingpong", 60, "--size=200000", "--warmup=1", *both, "--loss=1%",
                              "--reorder=1%", "--corrupt=0.5%", "--seed=4")
        self.assertGreater(report.value("records.inline"), 0)
        self.assertGreater(report.value("packets.retransmitted"), 0)

    def esp(self, addresses, *port):
        """Packets of ESP, which the CPU seals or, on the client's side, a port."""
        both = ("--esp", "--native-ip")
        server = self.serve(*both, addresses=addresses, name="server")
        client, report = self.rpcs("pingpong", 30, "--size=20000", "--warmup=1", *both, *port,
                                   addresses=addresses)
        by = ", sealed by the port (" if port else " ("
        self.assertIn("records: ESP" + by, client.out)
        self.assertGreaterEqual(report.value("esp.sent"), 30 * 20_000 // 1400)
        self.assertEqual(report.value("esp.sent"), report.value("packets.sent"))
        self.assertEqual(report.value("esp.inline"), report.value("esp.sent") if port else 0)
        counters = server.counters()
        self.assertGreaterEqual(counters["esp.received"], report.value("esp.sent") // 2)
        for reason in ("dropped.tag", "dropped.spi", "dropped.esp_header", "dropped.esp_length"):
            self.assertEqual(counters.get(reason, 0), 0, reason)
        self.assertEqual(server.terminate(), 0, server.story())
        self.assertRegex(server.out, r"messages served, .*, 0 corrupt")
        return client

    def test_esp_over_ipv4(self):
        self.esp(V4)

    def test_esp_over_ipv6(self):
        self.esp(V6)

    def test_esp_sealed_by_the_port(self):
        client = self.esp(V4, "--crypto=inline", "--model-nic=4", "--model-engine=esp")
        self.assertRegex(client.out, r"ESP: +sealed by the port \(.*not run on hardware")

    def test_esp_of_one_side_falls_back_and_says_why(self):
        why = "packet mode: the peer does without ESP"
        self.serve("--native-ip", name="without")
        client, report = self.rpcs("pingpong", 50, "--size=5000", "--esp", "--native-ip")
        self.assertIn(f"records: {why} (10.0.0.2:", client.out)
        self.assertEqual(report.value("esp.sent"), 0)

    def test_record_mode_with_losses(self):
        self.serve("--record-mode", "--loss=1%", "--reorder=1%", "--corrupt=0.5%", "--seed=3")
        _, report = self.rpcs("pingpong", 30, "--size=200000", "--record-mode", "--loss=1%",
                              "--seed=4")
        self.assertGreater(report.value("records.received"), 30)
        self.assertGreater(report.value("packets.retransmitted"), 0)

    def test_record_mode_of_one_side_falls_back_and_says_why(self):
        why = "packet mode: the peer does without record mode"
        self.serve(name="without")
        client, report = self.rpcs("pingpong", 50, "--size=100000", "--record-mode")
        self.assertIn(f"records: {why} (10.0.0.2:", client.out)
        self.assertEqual(report.value("session.peer", records=why), 1)
        self.assertEqual(report.value("records.sent"), 0)

    def test_record_mode_of_the_server_alone_is_not_used(self):
        server = self.serve("--record-mode", "--log-level=info")
        client, report = self.rpcs("pingpong", 50, "--size=100000")
        self.assertNotIn("records:", client.out)
        self.assertEqual(report.value("session.peer", records="packet mode"), 1)
        self.assertIn("packet mode: the peer does without record mode", server.err)

    def test_lengths_are_concealed_where_one_side_asks(self):
        for server, client in ((("--pad=buckets",), ()), ((), ("--pad=buckets", "--record-mode")),
                               (("--pad=buckets", "--record-mode"), ("--record-mode",))):
            with self.subTest(server=server, client=client):
                process = self.serve(*server, name="_".join(("server",) + server + client))
                for size in (1, 64, 700, 16329, 1_000_000):
                    run, report = self.rpcs("pingpong", 10, f"--size={size}", *client)
                    self.assertIn("lengths: padded to buckets (10.0.0.2:", run.out)
                    self.assertEqual(report.value("session.peer", padded="yes"), 1)
                json = self.json_path("client")
                self.client("stream", "--size=3M", "--count=5", "--outstanding=2", *client,
                            f"--json={json}")
                self.assert_served(harness.Report(json), 5)
                self.assertEqual(process.counters().get("dropped.padding", 0), 0)
                self.assertEqual(process.terminate(), 0, process.story())
                self.assertRegex(process.out, r"messages served, .*, 0 corrupt")

    def test_clients_of_a_restarted_server_connect(self):
        server = self.serve(name="first")
        self.rpcs("pingpong", 200)
        self.assertEqual(server.terminate(), 0, server.story())
        server = self.serve(name="second")
        self.rpcs("pingpong", 200)
        self.assertEqual(server.terminate(), 0, server.story())

    def test_quiescent_client_survives_the_end_of_its_server(self):
        server = self.serve(name="first")
        client = self.sluice("pingpong", "-i", "--count=200", "--warmup=1", self.port("client"),
                             V4[1], f"--peer={V4[2]}", self.psk, "--peer-timeout=2s",
                             input_pipe=True)
        client.say("start")
        client.expect(r"200 RPCs completed, 0 failed, 0 corrupt")
        self.assertRegex(client.ask("show sessions"), r"10\.0\.0\.2")
        self.assertEqual(server.terminate(), 0, server.story())
        # The server's word that it goes may be lost with the cable; then the calls find out.
        client.ask("start")
        client.expect(r"\b0 RPCs completed")
        harness.wait_for(lambda: "no session" in client.ask("show sessions"), "the session's end")
        self.serve(name="second")
        client.say("quit")
        self.assertEqual(client.wait(), 1, client.story())
        self.rpcs("pingpong", 200)

    def test_sigterm_drains_and_prints_results(self):
        server = self.serve("--json=" + str(self.json_path("server")))
        client = self.sluice("rate", "--count=100M", "--warmup=1", self.port("client"), V4[1],
                             f"--peer={V4[2]}", self.psk, f"--json={self.json_path('client')}")
        harness.wait_for(lambda: server.counters("requests.").get("requests.delivered", 0) > 1000,
                         "requests")
        self.assertEqual(client.terminate(), 130, client.story())
        self.assertRegex(client.out, r"RPCs completed, 0 failed, 0 corrupt")
        report = harness.Report(self.json_path("client"))
        self.assertGreater(report.value("rpc.completed"), 0)
        self.assertEqual(report.value("rpc.failed"), 0)
        self.assertEqual(server.terminate(), 0, server.story())
        served = harness.Report(self.json_path("server"))
        self.assertGreaterEqual(served.value("served.messages"), report.value("rpc.completed"))

    def test_server_reports_what_it_served_before_it_was_asked_to(self):
        server = self.sluice("serve", "-i", self.port("server"), V4[0], self.psk,
                             f"--json={self.json_path('server')}", input_pipe=True)
        server.expect(harness.PROMPT)
        self.rpcs("pingpong", 200, "--warmup=1")
        server.ask("start")
        server.ask("stop")
        server.say("quit")
        self.assertEqual(server.wait(), 0, server.story())
        served = harness.Report(self.json_path("server"))
        for metric in ("served.messages", "requests.delivered"):
            self.assertEqual(served.value(metric), 201, metric)
        self.assertGreater(served.value("packets.received"), 2)

    def test_two_lcores_a_side_are_pinned_and_steered(self):
        server = self.serve("--lcores=2", name="server")
        self.rpcs("rate", 2000, "--workload=W3", "--lcores=2", "--warmup=100")
        self.assertGreater(server.counters()["requests.delivered"], 2000)

        def all_arrived():
            steered = server.counters("frames.steered_")
            full = server.counters("dropped.steering_full").get("dropped.steering_full", 0)
            out = steered.get("frames.steered_out", 0)
            return 0 < out == steered.get("frames.steered_in", 0) + full
        harness.wait_for(all_arrived, "the arrival of what was handed to the other lcore")
        self.assertEqual(server.ask("show port info all").split()[-1], "2", "two queue pairs")
        pinned = lcore_cpus(server.pid)
        self.assertGreaterEqual(len(pinned), 2, pinned)
        self.assertTrue(all(len(cpus) == 1 for cpus in pinned), pinned)

    def test_client_without_a_server_says_which_socket(self):
        client = self.client("pingpong", "--count=10", expect=1)
        self.assertEqual(len(client.err.strip().splitlines()), 1, client.story())
        self.assertIn("memif.sock", client.err)


def lcore_cpus(pid):
    """The CPUs that each polling thread of a program may run on."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text(encoding="utf-8")
        if re.search(r"Name:\s+(lcore-worker|rte-worker)", status):
            listed = re.search(r"Cpus_allowed_list:\s+(\S+)", status).group(1)
            found.append(cpu_set(listed))
    return found


def cpu_set(text):
    cpus = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        cpus.update(range(int(first), int(last or first) + 1))
    return cpus


if __name__ == "__main__":
    harness.main()
