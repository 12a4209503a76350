# SPDX-License-Identifier: Apache-2.0
"""Two network namespaces joined by a cable, for the tests over net_af_packet."""

import ctypes
import os
import socket
import sys
from pathlib import Path

import harness

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from lib import cable  # After the path that leads there.
from lib.cable import ip

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
SO_RCVBUFFORCE = 33

CLIENT_V4, SERVER_V4 = "10.9.0.1", "10.9.0.2"
CLIENT_V6, SERVER_V6 = "fd00:9::1", "fd00:9::2"


def enter_namespace(namespace):
    if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"cannot enter {namespace.name}")


class Cable(cable.Cable):
    """One on which tests listen, and speak."""

    def socket(self, side):
        """A raw socket on a side's interface: it sends frames to the other side, and receives
        what arrives from there (what net_af_packet sends is not shown on its own side)."""
        with open("/proc/self/ns/net", "rb") as home, \
                open(f"/run/netns/{self.namespaces[side]}", "rb") as there:
            enter_namespace(there)
            try:
                raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            finally:
                enter_namespace(home)
        raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        raw.bind((self.interfaces[side], ETH_P_ALL))
        return raw


class VethCase(harness.Case):
    """A test with a cable of its own, a server at one end and clients at the other."""

    mtu = 1500

    def setUp(self):
        super().setUp()
        self.need_root()
        self.need_program("ip")
        self.psk = self.key()
        self.cable = self.lay_cable(self.mtu)

    def lay_cable(self, mtu):
        return self.lay(Cable(mtu))

    def lay(self, cable):
        self.addCleanup(cable.remove)
        try:
            cable.lay()
        except OSError as error:
            self.skipTest(f"no network namespaces here: {error}")
        # Cleanups run backwards: processes first.
        self.addCleanup(self._end)
        return cable

    def place(self, side, *, v6=False, device=""):
        """The arguments that put a program at one end of the cable."""
        address = {"client": (CLIENT_V4, CLIENT_V6), "server": (SERVER_V4, SERVER_V6)}[side]
        words = [f"--port=net_af_packet0,iface={self.cable.interfaces[side]}{device}",
                 f"--address={address[1]}/64" if v6 else f"--address={address[0]}/24", self.psk]
        return words + ([f"--peer={'[' + SERVER_V6 + ']' if v6 else SERVER_V4}"]
                        if side == "client" else [])

    def serve(self, *arguments, v6=False, device="", **options):
        return self.server(*self.place("server", v6=v6, device=device), *arguments,
                           before=self.cable.inside("server"), **options)

    def start_client(self, mode, *arguments, v6=False, device="", **options):
        return self.sluice(mode, *self.place("client", v6=v6, device=device), *arguments,
                           before=self.cable.inside("client"), **options)

    def client(self, mode, *arguments, expect=0, **options):
        process = self.start_client(mode, *arguments, **options)
        status = process.wait()
        if expect is not None and status != expect:
            self.fail(f"ended with {status}, not {expect}:{process.story()}")
        return process

    def rpcs(self, count, *arguments, mode="rate", **options):
        """Runs RPCs to their end, all right, and returns the client's report."""
        json = self.json_path("client")
        self.client(mode, f"--count={count}", "--warmup=1", f"--json={json}", *arguments, **options)
        report = harness.Report(json)
        self.assert_served(report, count)
        return report
