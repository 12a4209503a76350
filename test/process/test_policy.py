#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may connect and call, by a policy file; and the audit log that says who answers for it."""

import hashlib
import json
import re
import resource
import signal

import harness

SERVER = "server.dc.example"
CLIENT = "client.dc.example"
CA_NAME = "Sluice CA"
ECHO = 1  # The service that pingpong calls.
DENIED = "the policy does not let this name connect"
ALL = f"allow {CLIENT} connect call all use all\n"


class Policy(harness.Case):
    """Each test has a CA, two certificates, a policy, an audit log and a socket of its own."""

    def setUp(self):
        super().setUp()
        self.rules = self.folder / "policy.txt"
        self.log = self.folder / "audit.log"
        self.identity("ca", f"--out={self.folder}/ca", "--below=dc.example",
                      f"--ca-name={CA_NAME}")
        self.issue(SERVER)
        self.issue(CLIENT)

    def identity(self, *words):
        process = self.program(harness.sluice_program(), "identity", *words)
        self.assertEqual(process.wait(), 0, process.story())
        return process

    def issue(self, name, folder="ids", life="--days=1"):
        self.identity("issue", name, f"--ca={self.folder}/ca", f"--out={self.folder}/{folder}",
                      life)

    def write(self, text):
        self.rules.write_text(text, encoding="utf-8")

    def side(self, role, name, folder="ids"):
        place = self.folder / folder / name
        address = "10.0.0.2/24" if role == "server" else "10.0.0.1/24"
        socket = self.folder / "memif.sock"
        return (f"--port=net_memif0,role={role},socket={socket},socket-abstract=no",
                f"--address={address}", f"--cert={place}.pem", f"--key={place}.key",
                f"--trust={self.folder}/ca/ca.pem")

    def serve(self, text, *arguments):
        """A server with this policy."""
        self.write(text)
        return self.server(*self.side("server", SERVER), f"--policy-file={self.rules}",
                           f"--audit={self.log}", *arguments)

    def ping(self, *arguments, name=CLIENT, expect=0, folder="ids", count=100):
        return self.run_sluice("pingpong", f"--count={count}", "--warmup=1", "--peer=10.0.0.2",
                               f"--name={SERVER}", *self.side("client", name, folder),
                               *arguments, expect=expect)

    def caller(self, *arguments):
        """A client with a prompt and a session that stays."""
        client = self.sluice("pingpong", "-i", "--peer=10.0.0.2", f"--name={SERVER}",
                             "--warmup=1", "--count=10", "--log-level=info",
                             *self.side("client", CLIENT), *arguments, input_pipe=True)
        client.expect(harness.PROMPT)
        return client

    def calls(self, client):
        """What one run of the client's traffic comes to."""
        start = len(client.out)
        client.ask("start")
        harness.wait_for(lambda: "outstanding" in client.out[start:], "the end of the traffic")
        return client.out[start:] + client.ask("show counters rpc")

    def served(self, client):
        self.assertIn("10 RPCs completed, 0 failed", self.calls(client))

    def denied(self, client):
        said = self.calls(client)
        self.assertIn("sluice> 0 RPCs completed", said)
        self.assertIn("permission_denied", said)

    def hang_up(self, process, says):
        """SIGHUP, and what the process says to it."""
        start = len(process.out)
        process.send(signal.SIGHUP)
        process.expect(says, start=start)

    def verify(self, *arguments, expect=0):
        process = self.program(harness.sluice_program(), "audit", "verify", self.log, *arguments)
        self.assertEqual(process.wait(), expect, process.story())
        return process

    def records(self, **fields):
        """The records of the log that have these fields."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [record for record in map(json.loads, lines)
                if all(record[name] == value for name, value in fields.items())]

    def await_record(self, **fields):
        harness.wait_for(lambda: self.records(**fields), f"a record with {fields}")
        return self.records(**fields)[0]

    # Verifies MUST-P1, MUST-P2
    def test_who_is_not_allowed_is_refused_and_both_sides_say_so(self):
        for text in ("", "allow other.dc.example connect\n", f"allow .{CLIENT}.x connect\n"):
            server = self.serve(text)
            client = self.ping(expect=1)
            self.assertIn(f"the peer refused the handshake: {DENIED}", client.err)
            self.assertEqual(len(client.err.strip().splitlines()), 1, client.story())
            server.expect(re.escape(f"refused here: {DENIED} ({CLIENT}, rule default)"))
            self.assertEqual(server.counters("policy")["policy.denied"], 1)
            self.assertEqual(server.terminate(), 0)

    # Verifies MUST-P2
    def test_a_client_has_a_policy_too(self):
        server = self.serve(ALL)
        other = self.folder / "clients.txt"
        other.write_text(f"allow * connect\ndeny {SERVER} connect\n", encoding="utf-8")
        client = self.ping(f"--policy-file={other}", expect=1)
        self.assertIn(f"refused here: {DENIED} ({SERVER}, rule {other}:2)", client.err)
        server.expect(f"the peer refused the handshake: {DENIED}")
        other.write_text("allow .dc.example connect\n", encoding="utf-8")
        self.ping(f"--policy-file={other}")

    # Verifies MUST-P3, MUST-P5, MUST-P6
    def test_who_is_allowed_is_served_and_on_record(self):
        server = self.serve(ALL)
        figures = self.json_path("client")
        self.ping(f"--json={figures}")
        report = harness.Report(figures)
        self.assertEqual(report.value("session.peer", name=SERVER, responsible=CA_NAME), 1)
        end = self.await_record(event="end")
        self.assertEqual(server.terminate(), 0)
        self.assertIn("records, unbroken\nhead ", self.verify().out)
        accept = self.records(event="accept", verb="connect")[0]
        self.assertEqual(accept["subject"], CLIENT)
        self.assertEqual(accept["responsible"], CA_NAME)
        self.assertEqual(accept["chain"], [CA_NAME, CLIENT])
        self.assertEqual(accept["rule"], f"{self.rules}:1")
        self.assertRegex(accept["key"], r"^[0-9a-f]{64}$")
        self.assertEqual(accept["session"], end["session"])
        first = self.records(event="accept", verb="call")[0]
        self.assertEqual(first["object"], f"service {ECHO} rpc")
        total = self.records(event="total", verb="call")[0]
        self.assertEqual(total["count"], 101)
        self.assertEqual(total["responsible"], CA_NAME)
        start = self.records()[0]
        self.assertEqual(start["event"], "start")
        digest = hashlib.sha256(self.rules.read_bytes()).hexdigest()
        self.assertEqual(start["object"], f"{self.rules}, 3 rules, SHA-256 {digest}")
        self.assertEqual([record["event"] for record in self.records()][-1], "stop")

    # Verifies MUST-P3
    def test_a_service_that_is_not_allowed_is_not_called(self):
        server = self.serve(f"allow {CLIENT} connect call 2-9 use rpc\n")
        client = self.ping(expect=None)
        self.assertNotEqual(client.popen.returncode, 0, client.story())
        self.assertIn("permission_denied", client.out + client.err)
        self.assertGreaterEqual(server.counters("refused")["refused.policy"], 1)
        self.assertNotIn("requests.served", server.counters("requests"))
        self.ping("--service=2")
        refuse = self.await_record(event="refuse", verb="call")
        self.assertEqual((refuse["object"], refuse["rule"], refuse["decision"]),
                         (f"service {ECHO} rpc", "default", "deny"))
        self.assertEqual(self.records(event="accept", verb="call")[0]["object"], "service 2 rpc")

    # Verifies MUST-P3
    def test_a_file_is_refused_when_it_is_offered(self):
        files = self.folder / "received"
        files.mkdir()
        sent = self.file(3_000_000)
        self.write(f"allow {CLIENT} connect call 1-2 use all\n")
        self.server(*self.side("server", SERVER), f"--policy-file={self.rules}", f"--dir={files}",
                    mode="recvfile")

        def send(expect):
            return self.run_sluice("sendfile", str(sent), "--peer=10.0.0.2", f"--name={SERVER}",
                                   *self.side("client", CLIENT), expect=expect)
        self.assertIn("its policy does not let this end send files", send(1).err)
        self.assertEqual(list(files.iterdir()), [])
        self.write(ALL)
        self.hang_up(self.processes[-2], "reloaded: ")
        send(0)
        self.assertEqual((files / sent.name).read_bytes(), sent.read_bytes())

    # Verifies MUST-P4
    def test_a_reload_widens_and_narrows_without_dropping_sessions(self):
        server = self.serve(f"allow {CLIENT} connect\n")
        client = self.caller()
        session = server.ask("show sessions")
        self.denied(client)
        self.write(ALL)
        self.hang_up(server, "reloaded: ")
        self.served(client)
        self.write(f"{ALL}deny * call {ECHO}\n")
        self.assertIn("reloaded: ", server.ask("reload"))
        self.denied(client)
        self.assertEqual(session.split()[session.split().index(CLIENT) - 2],
                         server.ask("show sessions").split()[session.split().index(CLIENT) - 2])
        self.assertEqual(len(self.records(event="reload", decision="allow")), 2)
        self.assertEqual(self.records(event="end"), [])

    # Verifies MUST-P4
    def test_a_reload_ends_the_sessions_of_who_may_no_longer_connect(self):
        server = self.serve(ALL)
        client = self.caller()
        self.write("")
        self.hang_up(server, "reloaded: ")
        server.expect(rf"with {CLIENT} at 10\.0\.0\.1 has ended: permission_denied "
                      "the policy does not allow it any more")
        client.expect(rf"with {SERVER} at 10\.0\.0\.2 has ended: permission_denied "
                      "the peer's policy does not allow it any more")
        end = self.await_record(event="end")
        self.assertIn("permission_denied: the policy does not allow it", end["reason"])
        self.assertEqual(server.counters("sessions")["sessions.denied"], 1)

    def test_a_reload_that_cannot_be_changes_nothing(self):
        server = self.serve(ALL)
        client = self.caller()
        self.write(f"{ALL}allow {CLIENT} fly\n")
        self.hang_up(server, re.escape(f"{self.rules}:2: 'fly' cannot be allowed or denied"))
        self.assertIn(":2: 'fly'", server.ask("reload"))
        certificate = self.folder / "ids" / f"{SERVER}.pem"
        good = certificate.read_bytes()
        self.write("")
        certificate.write_text("no certificate", encoding="utf-8")
        self.assertIn("holds no readable certificate", server.ask("reload"))
        self.served(client)
        self.assertEqual(len(self.records(event="reload", decision="deny")), 3)
        certificate.write_bytes(good)
        self.assertIn("reloaded: ", server.ask("reload"))

    def test_a_renewed_certificate_is_that_of_new_sessions(self):
        server = self.serve(ALL)
        client = self.caller()
        self.identity("renew", f"{self.folder}/ids/{SERVER}.pem", f"--ca={self.folder}/ca",
                      "--days=9")
        shown = self.identity("show", f"{self.folder}/ids/{SERVER}.pem").out
        until = re.search(r"until (\S+ \S+) UTC", shown).group(1)
        self.hang_up(server, "reloaded: ")
        self.served(client)
        self.assertIn(CLIENT, server.ask("show sessions"))
        client.kill()
        # The session ends with the first certificate: now it is the server's.
        self.identity("renew", f"{self.folder}/ids/{CLIENT}.pem", f"--ca={self.folder}/ca",
                      "--days=20")
        self.assertIn(f"until {until} UTC", self.ping().out)

    def test_what_cannot_be_is_said_at_the_start(self):
        def refuse(says, *arguments, key=None):
            parts = self.side("server", SERVER)
            words = parts if key is None else (*parts[:2], key)
            process = self.run_sluice("serve", *words, *arguments, expect=2)
            self.assertEqual(len(process.err.strip().splitlines()), 1, process.story())
            self.assertIn(says, process.err)
        self.write("# nobody\n\nallow everyone fly\n")
        policy = f"--policy-file={self.rules}"
        refuse(f"{self.rules}:3: 'fly' cannot be allowed or denied; write connect, call or use",
               policy)
        refuse("none.txt cannot be read", f"--policy-file={self.folder}/none.txt")
        refuse("a pre-shared key proves none: give --cert", policy, key=self.key())
        refuse("a pre-shared key proves none", f"--audit={self.log}", key=self.key())
        refuse("cannot be opened: No such file", f"--audit={self.folder}/none/audit")
        refuse("is no regular file", "--audit=/dev/full")
        self.log.write_text("not a log\n", encoding="utf-8")
        refuse("does not end with a record", f"--audit={self.log}")

    # Verifies MUST-P6
    def test_a_log_that_was_tampered_with_is_found_out(self):
        server = self.serve(ALL)
        self.ping()
        self.await_record(event="end")
        self.assertEqual(server.terminate(), 0)
        head = re.search(r"head (\w{64})", self.verify().out).group(1)
        good = self.log.read_bytes()
        lines = good.splitlines(keepends=True)
        self.assertGreater(len(lines), 4)
        for bad, says in (
                ([*lines[:2], lines[2].replace(b"allow", b"ALLOW"), *lines[3:]],
                 "line 3: it was changed"),
                ([*lines[:2], *lines[3:]], "line 3: it does not follow the line before it"),
                ([*lines[:2], lines[3], lines[2], *lines[4:]], "line 3: it does not follow"),
                ([*lines[:-1], lines[-1][:-9]], f"line {len(lines)}: it is torn")):
            self.log.write_bytes(b"".join(bad))
            self.assertIn(says, self.verify(expect=1).err)
        self.log.write_bytes(b"".join(lines[:-1]))
        self.verify()
        self.assertIn("it was cut short", self.verify(f"--head={head}", expect=1).err)
        self.log.write_bytes(good)
        self.verify(f"--head={head}")
        self.verify("--head=abc", expect=2)

    # Verifies MUST-P6
    def test_a_crash_tears_a_line_and_the_log_tells_of_it(self):
        server = self.serve(ALL)
        server.kill()
        whole = self.log.read_bytes()
        self.log.write_bytes(whole + b'{"seq":2,"time":"20')
        self.assertEqual(self.serve(ALL).terminate(), 0)
        self.assertIn("and 1 torn by a crash, which they tell of", self.verify().out)
        self.assertTrue(self.log.read_bytes().startswith(whole + b'{"seq":2,"time":"20\n'))

    # Verifies MUST-P5
    def test_no_session_begins_that_cannot_be_recorded(self):
        server = self.serve(ALL)
        client = self.caller()
        # No file of the server may grow any more: the disk is full, as far as it can see.
        limit = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE,
                         (self.log.stat().st_size + 10, limit[1]))
        self.served(client)
        client.kill()
        late = self.ping(expect=1)
        self.assertIn("the audit log cannot be written", late.err)
        # With room again the log has all of it, in order, and sessions begin.
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, limit)
        self.ping()
        self.assertEqual(server.counters("audit")["audit.refused"], 1)
        taken_back = [record for record in self.records(event="refuse", decision="deny")
                      if "audit log cannot be written" in record["reason"]]
        self.assertEqual(len(taken_back), 1)
        self.assertEqual(server.terminate(), 0)
        self.verify()

    def test_a_full_disk_is_told_of_before_anything_begins(self):
        # A file system of its own, with room for nothing; seen by this one program only.
        self.need_program("unshare", "mount")
        full = self.folder / "full"
        full.mkdir()
        mounted = f"mount -t tmpfs -o size=8k none {full}"
        tried = self.program("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted)
        if tried.wait() != 0:
            self.skipTest("no file system may be mounted here: " + tried.err.strip())
        mounted += f" && head -c 8192 /dev/zero > {full}/all"
        self.write(ALL)
        words = " ".join([str(harness.sluice_program()), "serve", *self.side("server", SERVER),
                          f"--policy-file={self.rules}", f"--audit={full}/audit.log"])
        process = self.program("unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                               f"{mounted}; exec {words}")
        self.assertEqual(process.wait(), 2, process.story())
        self.assertEqual(len(process.err.strip().splitlines()), 1, process.story())
        self.assertIn("has no room: No space left on device; make some, or name another file",
                      process.err)

    def test_a_log_in_several_files_is_one_log(self):
        server = self.serve(ALL, "--audit-size=2k")
        for _ in range(3):
            self.ping()
        self.assertEqual(server.terminate(), 0)
        full = sorted(self.folder.glob("audit.log.*"))
        self.assertGreaterEqual(len(full), 2)
        words = [str(each) for each in [*full, self.log]]
        good = self.program(harness.sluice_program(), "audit", "verify", *words)
        self.assertEqual(good.wait(), 0, good.story())
        self.assertIn(f"unbroken, in {len(words)} files", good.out)
        for wrong, why in ((words[-1:], "goes on where another file ends"),
                           ([words[0], *words[2:]], "does not follow the line before it")):
            process = self.program(harness.sluice_program(), "audit", "verify", *wrong)
            self.assertEqual(process.wait(), 1, process.story())
            self.assertIn(why, process.err)

    def test_the_rules_in_force_are_shown(self):
        self.write(ALL)
        server = self.sluice("serve", "-i", *self.side("server", SERVER),
                             f"--policy-file={self.rules}", input_pipe=True)
        server.expect(harness.PROMPT)
        self.assertIn(f"policy.txt:1: allow {CLIENT} connect", server.ask("show policy"))
        self.write(f"deny {CLIENT} connect\n")
        server.ask("reload")
        shown = server.ask("show policy")
        self.assertIn(f"policy.txt:1: deny {CLIENT} connect", shown)
        self.assertNotIn(f"allow {CLIENT}", shown)

    # Verifies MUST-P4
    def test_a_session_ends_with_the_anchor_that_vouched_for_its_peer(self):
        self.identity("ca", f"--out={self.folder}/other", "--below=dc.example")
        trust = self.folder / "trust.pem"
        ours = (self.folder / "ca" / "ca.pem").read_text(encoding="utf-8")
        other = (self.folder / "other" / "ca.pem").read_text(encoding="utf-8")
        trust.write_text(ours + other, encoding="utf-8")
        self.write(ALL)
        side = [each for each in self.side("server", SERVER) if not each.startswith("--trust")]
        server = self.sluice("serve", "-i", "--log-level=info", *side, f"--trust={trust}",
                             f"--policy-file={self.rules}", f"--audit={self.log}",
                             input_pipe=True)
        server.expect(harness.PROMPT)
        client = self.caller()
        server.ask("reload")
        self.assertIn(CLIENT, server.ask("show sessions"))
        trust.write_text(other, encoding="utf-8")
        server.ask("reload")
        server.expect(re.escape("who vouched for its name is not trusted any more"))
        client.expect("has ended")
        self.assertNotIn(CLIENT, server.ask("show sessions"))

    def test_half_a_second_is_accounted_for_after_its_end(self):
        server = self.serve("allow .dc.example connect call all use rpc\n")
        self.issue("agent.dc.example", folder="instant", life="--for=500ms")
        client = self.sluice("pingpong", "--duration=100s", "--warmup=1", "--peer=10.0.0.2",
                             f"--name={SERVER}", "--log-level=info",
                             *self.side("client", "agent.dc.example", "instant"))
        self.assertEqual(client.wait(), 1, client.story())
        self.assertIn("expired", client.err)
        self.assertTrue(server.running())
        # A busy machine may take longer to start than it lives: then there was no session.
        if " is up" not in client.err:
            return
        end = self.await_record(event="end", subject="agent.dc.example")
        self.assertIn("expired: ", end["reason"])
        total = self.records(event="total", subject="agent.dc.example")[0]
        self.assertEqual((total["responsible"], total["decision"]), (CA_NAME, "allow"))
        self.assertGreaterEqual(total["count"], 1)
        self.assertEqual(server.terminate(), 0)
        self.verify()


if __name__ == "__main__":
    harness.main()
