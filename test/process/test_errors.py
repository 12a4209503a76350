#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What cannot work: one line says why and what to change, and no results are written."""

import os
import time
import unittest

import harness

PLACE = ("--port=net_null0", "--address=10.0.0.1/24", "--peer=10.0.0.2")


class Refused(harness.Case):
    """Commands that end before anything is sent."""

    def refuse(self, *words, says, status, eal=(), before=()):
        mode, *arguments = words
        process = self.sluice(mode, *arguments, f"--json={self.json_path()}", eal=eal,
                              before=before)
        self.assertEqual(process.wait(), status, process.story())
        lines = process.err.strip().splitlines()
        self.assertEqual(len(lines), 1, process.story())
        self.assertTrue(lines[0].startswith("sluice: "), lines[0])
        self.assertIn(says, lines[0])
        self.assertFalse(self.json_path().exists(), "results of nothing were written")

    def test_short_key(self):
        self.refuse("pingpong", *PLACE, self.key(31), says="at least 32", status=1)
        self.refuse("serve", *PLACE[:2], self.key(31), says="at least 32", status=1)

    def test_short_printable_key(self):
        path = self.folder / "short"
        path.write_text("secret\n", encoding="ascii")
        self.refuse("pingpong", *PLACE, f"--psk-file={path}", says="too short", status=1)

    def test_key_file_that_is_not_there(self):
        self.refuse("pingpong", *PLACE, f"--psk-file={self.folder}/none", says="cannot be read",
                    status=1)

    def test_no_key(self):
        self.refuse("pingpong", *PLACE, says="--psk-file", status=2)
        self.refuse("serve", *PLACE[:2], says="--psk-file", status=2)

    def test_no_such_driver(self):
        self.refuse("pingpong", "--port=net_nothing0", *PLACE[1:], self.key(),
                    says="drivers here are", status=1)
        self.refuse("pingpong", says="drivers here are", eal=("--vdev=net_nothing0",), status=1)

    def test_no_such_interface(self):
        self.refuse("pingpong", "--port=net_af_packet0,iface=none", *PLACE[1:], self.key(),
                    says="cannot open net_af_packet0", status=1)

    def test_no_such_pci_device(self):
        self.refuse("pingpong", "--port=0000:7f:1f.7", *PLACE[1:], self.key(),
                    says="cannot open 0000:7f:1f.7", status=1)

    def test_inline_crypto_that_is_not_there(self):
        both = ("--record-mode", "--native-ip", "--crypto=inline")
        self.refuse("pingpong", *PLACE, self.key(), *both, says="net_null0: the device has none",
                    status=2)
        self.refuse("loopback", *both, says="inline crypto was asked for", status=2)

    def test_lookaside_crypto_that_is_not_there(self):
        self.refuse("pingpong", "--crypto=lookaside", says="there is no crypto device; give EAL",
                    status=1)
        self.refuse("pingpong", "--crypto=lookaside", "--cipher=chacha20-poly1305",
                    eal=("--vdev=crypto_aesni_gcm0",),
                    says="crypto_aesni_gcm0 has no chacha20-poly1305", status=1)

    def test_inline_crypto_without_records(self):
        self.refuse("pingpong", "--crypto=inline", says="add --record-mode and --native-ip",
                    status=2)
        self.refuse("pingpong", "--crypto=inline", "--record-mode", says="add --native-ip",
                    status=2)

    def test_esp_without_what_it_takes(self):
        self.refuse("pingpong", "--esp", says="add --native-ip", status=2)
        self.refuse("pingpong", "--esp", "--native-ip", "--record-mode", says="drop one", status=2)
        self.refuse("pingpong", "--esp", "--native-ip", "--cipher=chacha20-poly1305",
                    says="--esp takes AES-GCM", status=2)
        self.refuse("loopback", "--esp", "--native-ip", "--crypto=inline",
                    says="the device has no rte_security", status=2)
        self.refuse("loopback", "--esp", "--native-ip", "--crypto=inline", "--model-nic=2",
                    says="it seals records and no ESP", status=2)
        self.refuse("pingpong", "--model-engine=ipsec", says="rte_security, connectx or esp",
                    status=2)

    def test_padding_without_sealing(self):
        self.refuse("pingpong", "--pad=buckets", "--cipher=plaintext", says="drop --pad", status=2)
        self.refuse("pingpong", "--pad=much", says="choose none or buckets", status=2)

    def test_too_little_memory(self):
        self.refuse("pingpong", "--memory=4", says="MB needed", status=1)
        self.refuse("pingpong", says="MB needed", eal=("-m", "4"), status=1)

    def test_more_memory_than_there_is(self):
        self.refuse("pingpong", "--memory=1000000", says="too little memory", status=1)

    def test_no_such_cpu(self):
        self.refuse("pingpong", "--cpus=0,1000", says="no CPU 1000", status=1)
        self.refuse("pingpong", eal=("-l", "0,1,1000"), says="no CPU 1000", status=1)

    def test_too_many_lcores(self):
        self.refuse("pingpong", "--lcores=64", says="lcores", status=1)

    def test_huge_pages_that_are_not_there(self):
        with open("/proc/sys/vm/nr_hugepages", encoding="ascii") as pages:
            if int(pages.read()) != 0:
                self.skipTest("this machine has huge pages")
        self.refuse("pingpong", "--huge-pages=yes", says="vm.nr_hugepages", status=1)

    def test_unknown_words(self):
        self.refuse("pingpong", "--coutn=5", says="is --count meant?", status=2)
        self.refuse("pingpong", "twice", says="'twice'", status=2)
        self.refuse("pingpnog", says="is pingpong meant?", status=2)
        self.refuse("pingpong", eal=("--bogus",), says="unknown EAL argument --bogus", status=1)
        self.refuse("pingpong", "--no-huge", says="before a `--`", status=2)

    def test_impossible_values(self):
        self.refuse("pingpong", "--workload=W9", says="choose W1", status=2)
        self.refuse("pingpong", "--workload=W3", "--size=64", says="exclude each other", status=2)
        self.refuse("pingpong", "--size=2G", says="is no number from 1 to", status=2)
        self.refuse("pingpong", "--loss=120%", says="is no share", status=2)
        self.refuse("pingpong", "--duration=soon", says="is no time", status=2)
        self.refuse("pingpong", "--arena=100", says="no power of two", status=2)
        self.refuse("pingpong", "--cipher=rot13", says="choose aes-128-gcm", status=2)

    def test_addresses_that_are_none(self):
        key = self.key()
        self.refuse("pingpong", PLACE[0], "--address=nonsense", PLACE[2], key, says="nonsense",
                    status=1)
        self.refuse("pingpong", *PLACE[:2], "--peer=10.0.0.256", key, says="10.0.0.256", status=1)
        self.refuse("pingpong", PLACE[0], PLACE[2], key, says="--address", status=2)
        self.refuse("pingpong", *PLACE[:2], key, says="--peer", status=2)

    def test_files_that_cannot_be_used(self):
        self.refuse("sendfile", "none.bin", *PLACE, self.key(), says="cannot read none.bin",
                    status=2)
        self.refuse("recvfile", *PLACE[:2], "--dir=/none", self.key(), says="--dir=/none", status=2)
        self.refuse("pingpong", *PLACE, self.key(), "--capture=/none/a.pcap",
                    says="/none/a.pcap", status=1)

    def test_results_that_cannot_be_written(self):
        for path, why in (("/none/result.json", "cannot write"), (str(self.folder), "is a folder")):
            process = self.run_sluice("pingpong", "--count=1", f"--json={path}", expect=2)
            self.assertIn(why, process.err)
            self.assertEqual(len(process.err.strip().splitlines()), 1)

    def test_help_is_asked_for_in_every_place(self):
        for words in (["--help"], ["pingpong", "-h"], ["serve", "--help"]):
            process = self.run_sluice(*words)
            self.assertIn("--psk-file", process.out)
            self.assertEqual(process.err, "")

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_full_disk_is_a_failure(self):
        process = self.sluice("pingpong", "--count=10", "--warmup=1", "--json=/dev/full")
        self.assertIn(process.wait(), (1, 2), process.story())
        self.assertNotEqual(process.err.strip(), "")


class Calls(harness.Case):
    """What becomes of calls that cannot be answered: each ends once, with its reason."""

    def setUp(self):
        super().setUp()
        self.psk = self.key()
        self.memif = f"--port=net_memif0,socket={self.folder}/m,socket-abstract=no,role="

    def serve(self, *arguments):
        return self.server(self.memif + "server", "--address=10.0.0.2/24", self.psk, *arguments)

    def client(self, peer="10.0.0.2"):
        return (self.memif + "client", "--address=10.0.0.1/24", f"--peer={peer}", self.psk)

    def all_fail(self, *arguments, code):
        process = self.run_sluice("rate", "--count=50", "--warmup=1", "--outstanding=8",
                                  *arguments, f"--json={self.json_path()}", expect=1)
        report = harness.Report(self.json_path())
        self.assertEqual(report.value("rpc.completed"), 0)
        self.assertEqual(report.value("rpc.failed"), 51, "each call ends once")
        self.assertEqual(report.value("rpc.failed_by_status", status=code), 51)
        self.assertIn(f"failed: 51 {code}", process.out)

    def test_message_over_the_limit_of_the_peer(self):
        server = self.serve("--max-buffered=10k")
        self.all_fail("--size=20k", *self.client(), code="too_large")
        self.run_sluice("rate", "--size=9k", "--count=50", "--warmup=1", *self.client())
        self.assertEqual(server.terminate(), 0, server.story())

    def test_expired_deadline(self):
        self.all_fail("--deadline=1ns", code="deadline_exceeded")

    def test_closed_session(self):
        server = self.serve()
        client = self.sluice("rate", "-i", "--count=20", "--warmup=1", "--peer-timeout=2s",
                             *self.client(), input_pipe=True)
        client.ask("start")
        client.expect("20 RPCs completed, 0 failed")
        self.assertEqual(server.terminate(), 0, server.story())
        # The server's word that it goes may be lost with the cable; then the calls find out.
        client.ask("start")
        client.expect(r"\b0 RPCs completed")
        harness.wait_for(lambda: "no session" in client.ask("show sessions"), "the session's end")
        start = len(client.out)
        client.ask("start")
        client.expect("0 RPCs completed, 0 failed", start=start)
        client.say("quit")
        self.assertEqual(client.wait(), 1, client.story())
        self.assertIn("no further RPC could be begun: not_found", client.err)

    def test_unknown_peer(self):
        self.serve()
        for peer, why in (("10.0.0.3", "no answer from the peer"),
                          ("192.0.2.1", "it is on no port's network")):
            process = self.run_sluice("pingpong", *self.client(peer), "--connect-timeout=1s",
                                      expect=1)
            self.assertEqual(len(process.err.strip().splitlines()), 1, process.story())
            self.assertIn(why, process.err)


class WrongKey(harness.Case):
    """The two sides hold different keys: each learns it, and the server goes on."""

    def place(self, role):
        end = {"server": 2, "client": 1}[role]
        return (f"--port=net_memif0,role={role},socket={self.folder}/m,socket-abstract=no",
                f"--address=10.0.0.{end}/24")

    def refused_client(self, key):
        process = self.sluice("pingpong", *self.place("client"), "--peer=10.0.0.2", key,
                              "--count=10", f"--json={self.json_path()}", "--log-level=off")
        process.expect("start-up: ")
        began = time.monotonic()
        self.assertEqual(process.wait(), 1, process.story())
        print(f"a wrong key ended the client after {time.monotonic() - began:.2f} s")
        self.assertRegex(process.err, r"^sluice: .*do not hold the same pre-shared key\n$")
        self.assertFalse(self.json_path().exists())

    def test_both_sides_say_so_and_others_are_served(self):
        right, wrong = self.key(), self.key(name="other")
        server = self.server(*self.place("server"), right)
        self.refused_client(wrong)
        server.expect("10.0.0.1.*do not hold the same pre-shared key")
        self.assertIn("no session", server.ask("show sessions"))
        self.run_sluice("pingpong", *self.place("client"), "--peer=10.0.0.2", right, "--count=100")
        self.assertGreater(server.counters("handshake.")["handshake.wrong_key"], 0)
        self.assertEqual(server.terminate(), 0, server.story())

    def test_server_with_the_wrong_key_says_so(self):
        server = self.server(*self.place("server"), self.key(name="other"))
        self.refused_client(self.key())
        server.expect("10.0.0.1.*do not hold the same pre-shared key")

    def test_ciphers_that_do_not_meet(self):
        key = self.key()
        self.server(*self.place("server"), key, "--cipher=aes-256-gcm")
        process = self.run_sluice("pingpong", *self.place("client"), "--peer=10.0.0.2", key,
                                  "--cipher=chacha20-poly1305", expect=1)
        self.assertRegex(process.err, r"sluice: .*refused")

    def test_plaintext_does_not_meet_encryption(self):
        self.server(*self.place("server"), self.key())
        process = self.run_sluice("pingpong", *self.place("client"), "--peer=10.0.0.2",
                                  "--cipher=plaintext", "--count=10", expect=1)
        self.assertRegex(process.err, r"sluice: .*refused")

    def test_every_cipher_that_meets(self):
        key = self.key()
        for number, cipher in enumerate(("aes-128-gcm", "aes-256-gcm", "chacha20-poly1305",
                                         "plaintext")):
            psk = [] if cipher == "plaintext" else [key]
            words = [f"--cipher={cipher}", *psk]
            server = self.server(*self.place("server"), *words, name=f"server{number}")
            self.run_sluice("pingpong", *self.place("client"), "--peer=10.0.0.2", *words,
                            "--count=100", "--warmup=1")
            self.assertEqual(server.terminate(), 0, server.story())


if __name__ == "__main__":
    harness.main()
