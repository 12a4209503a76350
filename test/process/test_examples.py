#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The example programs, two processes at a time over memif, as their comments say."""

import re
import signal

import harness


LATE = r"^UNAVAILABLE|: (unavailable|deadline_exceeded)$"


class Examples(harness.Case):
    """Each server with its counterpart."""

    def setUp(self):
        super().setUp()
        self.key()

    def example(self, which, role, end, *arguments, **options):
        program = harness.sluice_program().parent / "examples" / which
        device = f"net_memif0,role={role},socket={self.folder}/hello.sock,socket-abstract=no"
        return self.program(program, device, f"10.0.0.{end}/24", self.folder / "key", *arguments,
                            **options)

    def start_server(self, name, *arguments):
        server = self.example(name, "server", 1, *arguments)
        server.expect(r"serving on 10\.0\.0\.1/24")
        return server

    def run_client(self, name, *arguments, expect=0):
        """Runs a client, which gives up after seconds; on a busy machine it is then run again."""
        def served():
            client = self.example(name, "client", 2, "10.0.0.1", *arguments,
                                  name=f"{name}{len(self.processes)}")
            in_vain = client.wait() != 0 and re.search(LATE, client.err)
            return None if in_vain else client
        client = harness.wait_for(served, f"an answer to {name}")
        self.assertEqual(client.wait(), expect, client.story())
        return client

    def end(self, server):
        self.assertEqual(server.terminate(), 0, server.story())

    def test_hello(self):
        server = self.start_server("hello_server")
        self.assertEqual(self.run_client("hello_client").out, "Hello, world!\n")
        self.assertEqual(self.run_client("hello_client", "Sluice").out, "Hello, Sluice!\n")
        self.end(server)
        self.assertRegex(server.out, r"\n[2-9]\d* requests answered\n")

    def test_stream(self):
        server = self.start_server("stream_consumer")
        for size in (1, 5_000, 9_000_000):
            client = self.run_client("stream_producer", self.file(size))
            self.assertEqual(client.out, f"{size} bytes arrived, all right\n")
        self.end(server)

    def test_stream_of_another_service_is_refused(self):
        server = self.start_server("stream_consumer")
        client = self.run_client("hello_client", expect=1)
        self.assertIn("the call failed: ", client.err)
        self.end(server)

    def test_service_with_its_own_threads(self):
        server = self.start_server("threaded_service", 2)
        self.assertEqual(self.run_client("hello_client").out, "dlrow\n")
        self.assertEqual(self.run_client("hello_client", "a" + "b" * 5000).out,
                         "b" * 5000 + "a\n")
        self.end(server)
        self.assertRegex(server.out, r"\n[2-9]\d* requests answered\n")

    def test_nobody_serves(self):
        for name in ("hello_client", "stream_producer"):
            words = [self.file(10)] if name == "stream_producer" else []
            client = self.run_client(name, *words, expect=1)
            self.assertEqual(len(client.err.splitlines()), 1, client.story())

    def test_wrong_key(self):
        server = self.start_server("hello_server")
        self.key()  # The client's, since the server has read its own.
        client = self.run_client("hello_client", expect=1)
        self.assertIn("pre-shared key", client.err)
        self.end(server)

    def test_usage_is_said(self):
        for name in ("hello_client", "hello_server", "stream_consumer", "stream_producer",
                     "threaded_service"):
            process = self.program(harness.sluice_program().parent / "examples" / name, name=name)
            self.assertEqual(process.wait(), 2)
            self.assertRegex(process.err, rf"^usage: \S+/{name} DEVICE ADDRESS KEY_FILE")

    def test_interrupt_ends_a_server_too(self):
        server = self.start_server("hello_server")
        server.send(signal.SIGINT)
        self.assertEqual(server.wait(), 0, server.story())


if __name__ == "__main__":
    harness.main()
