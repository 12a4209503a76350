#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two processes that know each other by certificates: made here, by `sluice identity`."""

import ctypes
import ctypes.util
import os
import re
from pathlib import Path

import harness

SERVER = "server.dc.example"
CLIENT = "client.dc.example"
BRIEF = "--for=3s"  # Lives long enough to start with, and ends while somebody waits.


class Tls(harness.Case):
    """Each test has a CA, two certificates and a socket of its own."""

    def setUp(self):
        super().setUp()
        self.identity("ca", f"--out={self.folder}/ca", "--below=dc.example")
        self.issue(SERVER)
        self.issue(CLIENT)

    def identity(self, *words, expect=0):
        process = self.program(harness.sluice_program(), "identity", *words)
        self.assertEqual(process.wait(), expect, process.story())
        return process

    def issue(self, *names, ca="ca", folder="ids", life="--days=1"):
        self.identity("issue", *names, f"--ca={self.folder}/{ca}", f"--out={self.folder}/{folder}",
                      life)

    def trust(self, ca="ca", below=""):
        return f"--trust={self.folder}/{ca}/ca.pem{below}"

    def side(self, role, name, trust=None, folder="ids"):
        place = self.folder / folder / name
        address = "10.0.0.2/24" if role == "server" else "10.0.0.1/24"
        socket = self.folder / "memif.sock"
        return (f"--port=net_memif0,role={role},socket={socket},socket-abstract=no",
                f"--address={address}", f"--cert={place}.pem", f"--key={place}.key",
                trust or self.trust())

    def serve(self, *arguments, name=SERVER, **options):
        return self.server(*self.side("server", name, **options), *arguments)

    def ping(self, *arguments, name=CLIENT, expected=SERVER, expect=0, environment=None, **options):
        return self.run_sluice("pingpong", "--count=100", "--warmup=1", "--peer=10.0.0.2",
                               f"--name={expected}", *self.side("client", name, **options),
                               *arguments, expect=expect, environment=environment)

    def refused(self, server, client, where, why):
        """Both sides say why, and say who refused whom."""
        here, there = "the handshake was refused here: ", "the peer refused the handshake: "
        client_says, server_says = (here, there) if where == "client" else (there, here)
        self.assertEqual(len(client.err.strip().splitlines()), 1, client.story())
        self.assertIn(client_says + why, client.err)
        server.expect(re.escape(server_says + why))

    def test_each_side_proves_its_name_and_rpcs_pass(self):
        server = self.serve("--json=" + str(self.json_path("server")))
        json = self.json_path("client")
        client = self.ping(f"--json={json}")
        report = harness.Report(json)
        self.assert_served(report, 100)
        self.assertEqual(report.value("session.peer", name=SERVER, role="client"), 1)
        self.assertRegex(client.out, rf"identity: {CLIENT}, ECDSA P-256, until ")
        self.assertRegex(client.out, rf"peer: {SERVER} at 10\.0\.0\.2:7470 \(aes-128-gcm, until ")
        server.expect(rf"session \w+ with {CLIENT} at 10\.0\.0\.1 port 7470 is up")

    def test_memory_stays_out_of_core_dumps(self):
        def filter_of(process):
            return Path(f"/proc/{process}/coredump_filter").read_text(encoding="ascii")
        server = self.serve()
        self.assertEqual(int(filter_of(server.pid), 16), 0)
        self.assertEqual(server.terminate(), 0, server.story())
        server = self.serve("--core-dumps")
        self.assertEqual(filter_of(server.pid), filter_of("self"))
        self.assertEqual(server.terminate(), 0, server.story())

    def test_no_key_is_told_however_much_is(self):
        keys = [line for name in (SERVER, CLIENT) for line in
                (self.folder / "ids" / f"{name}.key").read_text(encoding="ascii").splitlines()
                if "PRIVATE" not in line]
        keys.append(os.urandom(32).hex())
        shared = self.folder / "hex.key"
        shared.write_text(keys[-1] + "\n", encoding="ascii")
        shared.chmod(0o600)
        json = self.json_path("client")
        words = ("--log-level=debug", f"--json={json}")
        told = [self.serve("--log-level=debug"), self.ping(*words)]
        report = json.read_text(encoding="utf-8")
        self.assertEqual(told[0].terminate(), 0)
        psk = f"--psk-file={shared}"
        told.append(self.server(*self.side("server", SERVER)[:2], "--log-level=debug", psk))
        told.append(self.run_sluice("pingpong", "--count=100", "--warmup=1", "--peer=10.0.0.2",
                                    *self.side("client", CLIENT)[:2], psk, *words))
        self.assertEqual(told[2].terminate(), 0)
        report += json.read_text(encoding="utf-8")
        for text in (report, *(process.out + process.err for process in told)):
            self.assertGreater(len(text), 100)
            for key in keys:
                self.assertNotIn(key, text)

    def test_no_text_of_a_key_file_stays_in_memory(self):
        lines = (self.folder / "ids" / f"{SERVER}.key").read_text(encoding="ascii").splitlines()
        server = self.serve()
        self.assertTrue(harness.memory_holds(server.pid, SERVER.encode()))
        self.assertFalse(harness.memory_holds(server.pid, lines[1].encode()))
        self.assertEqual(server.terminate(), 0, server.story())
        text = os.urandom(32).hex()
        file = self.folder / "hex.key"
        file.write_text(text + "\n", encoding="ascii")
        file.chmod(0o600)
        server = self.server(*self.side("server", SERVER)[:2], f"--psk-file={file}")
        self.assertTrue(harness.memory_holds(server.pid, bytes.fromhex(text)))
        self.assertFalse(harness.memory_holds(server.pid, text.encode()))
        self.assertEqual(server.terminate(), 0, server.story())

    def test_the_prompt_shows_verified_names(self):
        server = self.serve()
        client = self.sluice("pingpong", "-i", "--peer=10.0.0.2", f"--name={SERVER}",
                             *self.side("client", CLIENT), input_pipe=True)
        client.expect(harness.PROMPT)
        self.assertIn(SERVER, client.ask("show sessions"))
        self.assertIn(CLIENT, server.ask("show sessions"))

    def test_further_sessions_are_resumed(self):
        server = self.serve()
        self.ping("--sessions=3")
        self.assertEqual(server.counters("handshake.resumed")["handshake.resumed"], 2)

    def test_ed25519_and_a_renewed_certificate(self):
        folder = f"{self.folder}/ed"
        self.identity("issue", "eddy.dc.example", f"--ca={self.folder}/ca", f"--out={folder}",
                      "--key-type=ed25519")
        self.identity("renew", f"{folder}/eddy.dc.example.pem", f"--ca={self.folder}/ca")
        server = self.serve()
        self.ping(name="eddy.dc.example", folder="ed")
        server.expect(r"with eddy\.dc\.example at")

    def test_another_name_is_refused_by_the_client(self):
        server = self.serve()
        client = self.ping(expected="other.dc.example", expect=1)
        self.refused(server, client, "client", "the certificate presented is for another name")
        self.assertIn(f"({SERVER}, not other.dc.example)", client.err)
        self.ping()

    def test_a_name_that_is_not_allowed_is_refused_by_the_server(self):
        server = self.serve("--allow=friend.dc.example")
        client = self.ping(expect=1)
        self.refused(server, client, "server", "the certificate presented is for another name")

    def test_another_anchor_is_refused_by_the_client(self):
        self.identity("ca", f"--out={self.folder}/other")
        server = self.serve()
        client = self.ping(trust=self.trust("other"), expect=1)
        self.refused(server, client, "client",
                     "the certificate presented is issued by none of the trust anchors")

    def test_another_anchor_is_refused_by_the_server(self):
        self.identity("ca", f"--out={self.folder}/other")
        server = self.serve(trust=self.trust("other"))
        client = self.ping(expect=1)
        self.refused(server, client, "server",
                     "the certificate presented is issued by none of the trust anchors")

    def test_an_anchor_is_trusted_for_its_name_space_only(self):
        server = self.serve(trust=self.trust(below="=rack7.dc.example"))
        client = self.ping(expect=1)
        self.refused(server, client, "server",
                     "the certificate presented is for a name outside what its trust anchor")
        self.issue("a.rack7.dc.example")
        self.ping(name="a.rack7.dc.example")

    def wait_for_the_end(self, name, folder):
        shown = f"{self.folder}/{folder}/{name}.pem"
        harness.wait_for(lambda: "expired" in self.identity("show", shown).out, "the end of a life")

    def test_an_expired_certificate_of_the_server_is_refused(self):
        self.issue(SERVER, folder="brief", life=BRIEF)
        server = self.serve(folder="brief")
        self.wait_for_the_end(SERVER, "brief")
        client = self.ping(expect=1)
        self.refused(server, client, "client", "the certificate presented has expired")

    def test_an_expired_certificate_of_the_client_is_refused(self):
        self.issue(CLIENT, folder="brief", life=BRIEF)
        # It is up in time and waits for its server, which comes too late.
        parts = list(self.side("client", CLIENT, folder="brief"))
        parts[0] = parts[0].replace("role=client", "role=server")
        client = self.sluice("pingpong", "--count=100", "--peer=10.0.0.2", f"--name={SERVER}",
                             *parts)
        client.expect("start-up: ")
        self.wait_for_the_end(CLIENT, "brief")
        parts = list(self.side("server", SERVER))
        parts[0] = parts[0].replace("role=server", "role=client")
        server = self.server(*parts)
        self.assertEqual(client.wait(), 1, client.story())
        self.refused(server, client, "server", "the certificate presented has expired")
        # A program does not start with what has ended.
        late = self.ping(folder="brief", expect=1)
        self.assertRegex(late.err, rf"{CLIENT}\.pem has expired \({CLIENT}, until .*\): renew it")

    def ends_with(self, ending, names, owner):
        """A session under load, which ends with a certificate; returns both processes."""
        self.issue(names[owner], folder="ids2", life=BRIEF)
        folders = {side: "ids2" if side == owner else "ids" for side in names}
        server = self.serve(folder=folders["server"])
        client = self.sluice("pingpong", "--duration=100s", "--peer=10.0.0.2", f"--name={SERVER}",
                             "--log-level=info",
                             *self.side("client", CLIENT, folder=folders["client"]))
        client.expect(r"with server\.dc\.example at 10\.0\.0\.2 port 7470 is up")
        self.assertEqual(client.wait(), 1, client.story())
        for process in (client, server):
            process.expect(r"session \w+ with \S+ at 10\.0\.0\.\d has ended: expired ")
        self.assertIn("the session has ended: expired", client.err)
        owner_process = client if owner == "client" else server
        owner_process.expect(ending)

    def test_a_session_ends_with_the_servers_certificate(self):
        self.ends_with("the own certificate has expired",
                       {"server": SERVER, "client": CLIENT}, "server")

    def test_a_session_ends_with_the_clients_certificate(self):
        self.ends_with("the own certificate has expired",
                       {"server": SERVER, "client": CLIENT}, "client")

    def test_a_half_second_identity_is_enough_for_some_rpcs(self):
        server = self.serve()
        self.issue(CLIENT, folder="instant", life="--for=500ms")
        client = self.sluice("pingpong", "--count=5", "--warmup=1", "--peer=10.0.0.2",
                             f"--name={SERVER}", *self.side("client", CLIENT, folder="instant"))
        # A busy machine may take longer to start than it lives; then it says so.
        if client.wait() == 0:
            server.expect(rf"with {CLIENT} at 10\.0\.0\.1 port 7470 is up")
        else:
            self.assertIn("expired", client.err)

    def test_aes_256_is_agreed_on_where_it_is_asked_for(self):
        self.serve("--cipher=aes-256-gcm")
        client = self.ping("--cipher=aes-256-gcm")
        self.assertRegex(client.out, rf"peer: {SERVER} at 10\.0\.0\.2:7470 \(aes-256-gcm, until ")
        client = self.ping("--cipher=aes-128-gcm", expect=1)
        self.assertIn("no AEAD algorithm in common", client.err)

    def test_a_process_that_has_openssl_too(self):
        libraries = [ctypes.util.find_library(name) for name in ("ssl", "crypto")]
        if not all(libraries):
            self.skipTest("OpenSSL is not installed")
        try:
            for library in libraries:
                ctypes.CDLL(library).OpenSSL_version_num()
        except (OSError, AttributeError):
            self.skipTest("these libraries are not OpenSSL's")
        environment = {**os.environ, "LD_PRELOAD": ":".join(libraries)}
        self.server(*self.side("server", SERVER), environment=environment)
        client = self.ping(environment=environment)
        self.assertIn(f"peer: {SERVER}", client.out)

    def test_a_key_does_not_meet_a_certificate(self):
        server = self.serve()
        client = self.run_sluice("pingpong", "--count=5", "--peer=10.0.0.2",
                                 *self.side("client", CLIENT)[:2], self.key(), expect=1)
        self.assertIn("requires another handshake mechanism", client.err)
        server.expect("a peer was refused")


class Files(harness.Case):
    """Files and options that cannot be used: one sentence says what to change."""

    def setUp(self):
        super().setUp()
        self.run_identity("ca", f"--out={self.folder}/ca")
        for name in ("a.example", "b.example"):
            self.run_identity("issue", name, f"--ca={self.folder}/ca", f"--out={self.folder}")

    def run_identity(self, *words):
        process = self.program(harness.sluice_program(), "identity", *words)
        self.assertEqual(process.wait(), 0, process.story())

    def refuse(self, *, says, status=1, **changes):
        parts = {"cert": self.folder / "a.example.pem", "key": self.folder / "a.example.key",
                 "trust": self.folder / "ca" / "ca.pem", "name": "b.example", **changes}
        words = [f"--{option}={value}" for option, value in parts.items() if value is not None]
        process = self.sluice("pingpong", "--port=net_null0", "--address=10.0.0.1/24",
                              "--peer=10.0.0.2", *words)
        self.assertEqual(process.wait(), status, process.story())
        lines = process.err.strip().splitlines()
        self.assertEqual(len(lines), 1, process.story())
        self.assertIn(says, lines[0])

    def test_bad_files(self):
        ca = self.folder / "ca"
        self.refuse(cert=self.folder / "none", says="none cannot be read")
        self.refuse(cert=self.folder / "a.example.key", says="holds no readable certificate")
        self.refuse(key=self.folder / "b.example.key", says="is not the private key of")
        self.refuse(trust=self.folder / "b.example.pem", says="self-signed CA")
        self.refuse(trust=f"{ca}/ca.pem=*.example", says="'*.example' is no DNS name")

    def test_a_private_key_is_private(self):
        key = self.folder / "a.example.key"
        key.chmod(0o644)
        self.refuse(says=f"can be read by others: chmod 600 {key}")

    def test_options_that_do_not_go_together(self):
        self.refuse(trust=None, status=2, says="--trust is missing")
        self.refuse(cert=None, status=2, says="--cert is missing")
        self.refuse(name=None, status=2, says="--name=")
        self.refuse(status=2, says="exclude each other", **{"psk-file": "x"})
        self.refuse(status=2, says="takes no --cert", cipher="plaintext")


if __name__ == "__main__":
    harness.main()
