#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A program sits on the cable between two processes and does everything that an attacker without a
key can do: test/attack has the attacks, which the simulator drives as well."""

import re
from pathlib import Path

import harness
import veth

GATEWAY = "10.9.0.254"  # The attacker answers for it, and so gets what is said to strangers.
CANARY = "canary in plaintext, 32 bytes :-"
BARE = "--cipher=plaintext"
FIRST_PACKETS = 100_000
# What an attack is made of travels with this option alone.
MADE_OF = {"records": "--record-mode", "esp": "--esp"}
HALF_OPEN = 3000
GROWTH = 64 << 20  # Bytes by which a flood may make a server grow.
BELIEVED = ("requests.delivered", "oneway.delivered", "sessions.up", "sessions.down",
            "lanes.installed", "lanes.ended", "keys.updated", "resets.obeyed",
            "handshake.accepted", "handshake.connected", "handshake.early.taken",
            "handshake.replaced", "rpc.completed", "rpc.failed")


class Road(veth.Cable):
    """Two cables that meet in a third namespace, the attacker's."""

    def __init__(self, mtu):
        super().__init__(mtu)
        self.namespaces["middle"] = self.namespaces["client"][:-1] + "m"
        self.interfaces["middle"] = "sl-mc"
        self.servers_end = "sl-ms"

    def join_ends(self):
        """As a cable's ends are joined, each of them to the middle."""
        for side, end in (("client", self.interfaces["middle"]), ("server", self.servers_end)):
            veth.ip("link", "add", "name", self.interfaces[side], "netns", self.namespaces[side],
                    "mtu", str(self.mtu), "type", "veth", "peer", "name", end, "netns",
                    self.namespaces["middle"], "mtu", str(self.mtu))
            self.raise_end(side, self.interfaces[side])
            self.raise_end("middle", end)


class Middle:
    """The attacker's program."""

    def __init__(self, process):
        self.process = process
        process.expect(r"^ready$|ready\n")
        self.lines = 1

    def tell(self, line):
        """Gives it a command, and returns the numbers that it answers by name."""
        self.process.say(line)

        def answered():
            lines = self.process.out.splitlines()
            return lines[self.lines] if len(lines) > self.lines and \
                self.process.out.endswith("\n") else None
        said = harness.wait_for(answered, f"an answer to '{line}'")
        self.lines += 1
        assert said.startswith("ok"), said
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", said)}

    def names(self):
        self.process.say("attacks")
        harness.wait_for(lambda: len(self.process.out.splitlines()) > self.lines, "the attacks")
        self.lines += 1
        return self.process.out.splitlines()[self.lines - 1].split()[1:]


def resident(pid):
    """Bytes of memory that a process has touched and holds."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10


class Attacked(veth.VethCase):
    """A client's session is up, and everything goes through the attacker."""

    count = 200
    gateway = GATEWAY
    hidden = frozenset()  # Attacks on packets that do not travel here.

    def lay_cable(self, mtu):
        return self.lay(Road(mtu))

    def setUp(self):
        super().setUp()
        road = self.cable
        program = harness.sluice_program().parent / "test" / "attack" / "attack_middle"
        self.middle = Middle(self.program(
            *road.inside("middle"), program, road.interfaces["middle"], road.servers_end,
            self.gateway, CANARY, name="middle", input_pipe=True))
        self.target = self.serve(f"--gateway={self.gateway}", name="server")

    def begin(self, *arguments):
        self.peer = self.start_client("pingpong", "-i", f"--count={self.count}", "--warmup=1",
                                      *arguments, name="peer", input_pipe=True)
        self.peer.expect(harness.PROMPT)
        self.rounds = 0
        self.work()

    def work(self):
        """All is well with the client's RPCs."""
        self.rounds += 1
        self.peer.ask("start")
        harness.wait_for(lambda: self.peer.out.count(
            f"{self.count} RPCs completed, 0 failed, 0 corrupt") == self.rounds, "the peer's RPCs")

    def believed(self):
        """What both sides did because of a packet."""
        return {f"{side} {name}": counters.get(name, 0)
                for side, counters in (("server", self.target.counters()),
                                       ("client", self.peer.counters()))
                for name in BELIEVED}

    def dropped(self):
        return sum(value for counters in (self.target.counters(), self.peer.counters())
                   for name, value in counters.items()
                   if "dropped." in name or "limit." in name or name == "resets.ignored")

    def end_well(self):
        self.work()
        self.peer.say("quit")
        self.assertEqual(self.peer.wait(), 0, self.peer.story())
        self.assertEqual(self.target.terminate(), 0, self.target.story())
        self.assertIn(", 0 corrupt", self.target.out)

    # Verifies MUST-T19, MUST-T12, MUST-H16
    def attack_with_everything(self, *arguments):
        self.begin(*arguments)
        words = [*self.place("client"), *arguments]
        names = self.middle.names()
        self.assertGreater(len(names), 8)
        before, dropped = self.believed(), self.dropped()
        for name in [*names, "replay"]:
            sent = self.middle.tell("replay" if name == "replay" else f"attack {name}")["sent"]
            needs = MADE_OF.get(name)
            if name not in self.hidden and (needs is None or needs in words):
                self.assertGreater(sent, 0, name)
            self.middle.tell("pass 50")
            self.assertEqual(self.believed(), before, name)
        self.assertGreater(self.dropped(), dropped + 1000)
        self.end_well()

    def canaries(self, name):
        """How many of those in a file that is sent go by in plaintext."""
        file = self.folder / f"{name}.bin"
        file.write_text(CANARY * 2000, encoding="ascii")
        receiver = self.sluice("recvfile", f"--dir={self.folder / 'in'}", "--count=1",
                               *self.place("server"), before=self.cable.inside("server"))
        receiver.expect("start-up: ")
        before = self.middle.tell("figures")
        self.client("sendfile", file)
        self.assertEqual(receiver.wait(), 0, receiver.story())
        figures = self.middle.tell("figures")
        self.assertGreater(figures["looked"] - before["looked"], 40)
        return figures["canaries"] - before["canaries"]

    def test_no_plaintext_goes_by(self):
        (self.folder / "in").mkdir()
        self.assertEqual(self.target.terminate(), 0)
        self.assertEqual(self.canaries("sealed"), 0)
        self.psk = BARE
        self.assertGreater(self.canaries("bare"), 40)

    def test_every_attack_on_a_session_changes_nothing(self):
        self.attack_with_everything("--size=2000")

    def test_a_recording_brings_nothing_to_a_restarted_server(self):
        self.begin("--size=200")
        self.peer.say("quit")
        self.assertEqual(self.peer.wait(), 0, self.peer.story())
        self.target.kill()
        self.target = self.serve(f"--gateway={self.gateway}", name="reborn")
        self.assertGreater(self.middle.tell("replay")["sent"], self.count)
        self.middle.tell("pass 100")
        counters = self.target.counters()
        self.assertGreater(counters["frames.received"], self.count)
        for name in BELIEVED:
            self.assertEqual(counters.get(name, 0), 0, name)
        # A client of flesh and blood is served, among all that again.
        self.begin("--size=200")
        before = self.believed()
        self.middle.tell("replay")
        self.middle.tell("pass 100")
        self.assertEqual(self.believed(), before)
        self.end_well()

    # Verifies MUST-T1, MUST-T17
    def test_a_meddled_road_is_survived(self):
        self.middle.tell("meddle 10000 50000 50000 50000 20000 20000")
        self.count = 500
        report = self.rpcs(self.count, "--workload=W3", "--outstanding=8", mode="rate")
        self.assertGreater(self.middle.tell("figures")["meddled"], 100)
        # Two batches: one to warm up, of one.
        self.assertEqual(self.target.counters("requests")["requests.delivered"], self.count + 1)
        self.assertEqual(report.value("rpc.corrupt"), 0)
        self.assertEqual(self.target.counters().get("resets.obeyed", 0), 0)
        self.assertEqual(self.target.terminate(), 0, self.target.story())
        self.assertIn(", 0 corrupt", self.target.out)

    # Verifies MUST-H7
    def test_first_packets_of_many_addresses(self):
        self.begin("--size=200")
        before, memory = self.believed(), resident(self.target.pid)
        self.middle.tell(f"first {FIRST_PACKETS}")
        figures = self.middle.tell("figures")
        self.assertEqual(figures["strangers"], FIRST_PACKETS)
        self.assertGreater(figures["answered"], 100)
        self.assertLessEqual(figures["worst_ratio"], 3000)
        self.assertEqual(self.believed(), before)
        self.assertLess(resident(self.target.pid), memory + GROWTH)
        self.end_well()


class AttackedTls(Attacked):
    """The same between two certificates, where a handshake may take several packets."""

    test_every_attack_on_a_session_changes_nothing = None  # The simulator has done that.
    test_a_recording_brings_nothing_to_a_restarted_server = None
    test_a_meddled_road_is_survived = test_first_packets_of_many_addresses = None

    def place(self, side, *, v6=False, device=""):
        folder = self.folder / "ids"
        if not folder.exists():
            self.identity("ca", f"--out={self.folder}/ca", "--below=dc.example")
            for name in ("server.dc.example", "client.dc.example"):
                self.identity("issue", name, f"--ca={self.folder}/ca", f"--out={folder}",
                              "--days=1")
        words = super().place(side, v6=v6, device=device)
        if self.psk == BARE:
            return words
        words = [word for word in words if word != self.psk]
        own = folder / f"{side}.dc.example"
        return words + [f"--cert={own}.pem", f"--key={own}.key",
                        f"--trust={self.folder}/ca/ca.pem"] + (
                            ["--name=server.dc.example"] if side == "client" else [])

    def identity(self, *words):
        process = self.program(harness.sluice_program(), "identity", *words)
        self.assertEqual(process.wait(), 0, process.story())

    # Verifies MUST-E2, MUST-E5
    def test_early_requests_are_not_executed_by_a_restarted_server(self):
        self.client("handshakes", "--handshake=early", "--count=5")
        taken = self.target.counters()
        self.assertGreaterEqual(taken["handshake.early.taken"], 1)
        # Into the process that has taken them, and into the one after it.
        for server in (self.target, None):
            if server is None:
                self.target.kill()
                self.target = self.serve(f"--gateway={self.gateway}", name="reborn")
            before = self.target.counters()
            self.middle.tell("replay")
            self.middle.tell("pass 200")
            after = self.target.counters()
            for name in ("requests.delivered", "handshake.early.taken", "handshake.accepted"):
                self.assertEqual(after.get(name, 0), before.get(name, 0), name)
            self.assertGreater(after["handshake.received"], before.get("handshake.received", 0))
        self.client("handshakes", "--handshake=early", "--count=2")

    # Verifies MUST-H9
    def test_handshakes_that_are_opened_and_left(self):
        self.begin("--size=200")
        before, memory = self.believed(), resident(self.target.pid)
        opened = self.middle.tell(f"open {HALF_OPEN} 2")["opened"]
        self.assertGreater(opened, 100)
        self.assertEqual(self.believed(), before)
        self.assertLess(resident(self.target.pid), memory + GROWTH)
        self.assertLessEqual(self.middle.tell("figures")["worst_ratio"], 3000)
        harness.wait_for(lambda: self.target.counters().get("handshake.pending_expired", 0) > 0,
                         "their end")
        self.end_well()


class AttackedRecords(Attacked):
    """Records of several packets."""

    test_a_recording_brings_nothing_to_a_restarted_server = None
    test_a_meddled_road_is_survived = test_first_packets_of_many_addresses = None
    count = 50

    def serve(self, *arguments, **options):
        return super().serve("--record-mode", *arguments, **options)

    def test_every_attack_on_a_session_changes_nothing(self):
        self.attack_with_everything("--size=40000", "--record-mode")


class AttackedNative(Attacked):
    """An IP protocol of its own."""

    def place(self, side, **options):
        return [*super().place(side, **options), "--native-ip"]


class AttackedEsp(AttackedNative):
    """Packets in the form of ESP."""

    test_first_packets_of_many_addresses = None  # Hellos are none.
    hidden = {"reflect", "splice", "control", "data", "types", "garbage"}

    def place(self, side, **options):
        words = super().place(side, **options)
        return words if self.psk == BARE else [*words, "--esp"]


class AttackedV6(Attacked):
    """Over IPv6, where UDP has a checksum."""

    test_first_packets_of_many_addresses = None  # The program's strangers have IPv4 addresses.
    gateway = "fd00:9::fe"

    def place(self, side, *, v6=True, device=""):
        return super().place(side, v6=True, device=device)


if __name__ == "__main__":
    harness.main()
