# SPDX-License-Identifier: Apache-2.0
"""Networks of the kernel's that a sample gets for itself: namespaces, which need root, and are gone
when the sample is."""

import itertools
import os
import shutil
import subprocess

from . import PartAbsent, Problem

_numbers = itertools.count()
MTU = 1500


def run(*words, given=None):
    done = subprocess.run(words, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if done.returncode != 0:
        raise Problem(f"{' '.join(words)}: {done.stdout.strip().splitlines()[-1:]}")


def need(*programs):
    if os.geteuid() != 0:
        raise PartAbsent("it needs network namespaces, which only root can make")
    for program in programs:
        if shutil.which(program) is None:
            raise PartAbsent(f"it needs {program} (scripts/setup --bench)")


class Namespaces:
    """As many as there are names of sides; what runs in one is started by the words of inside()."""

    def __init__(self, *sides):
        self.sides = sides
        tag = f"sluice-bench-{os.getpid()}-{next(_numbers)}"
        self.names = {side: f"{tag}-{side}" for side in sides}

    def __enter__(self):
        made = []
        try:
            for name in self.names.values():
                run("ip", "netns", "add", name)
                made.append(name)
            self.lay()
        except Problem as why:
            for name in made:
                run("ip", "netns", "delete", name)
            raise PartAbsent(str(why)) from None
        return self

    def __exit__(self, *_):
        for name in self.names.values():
            run("ip", "netns", "delete", name)

    def lay(self):
        raise NotImplementedError

    def inside(self, side):
        return ("ip", "netns", "exec", self.names[side])


class Cable(Namespaces):
    """A veth pair between the client's namespace and the server's, whose kernels say nothing."""

    INTERFACE = "cable"

    def __init__(self):
        need("ip")
        super().__init__("client", "server")

    def lay(self):
        ends = [("name", self.INTERFACE, "netns", name, "mtu", str(MTU))
                for name in self.names.values()]
        run("ip", "link", "add", *ends[0], "type", "veth", "peer", *ends[1])
        for name in self.names.values():
            run("ip", "-n", name, "link", "set", "dev", self.INTERFACE, "arp", "off",
                "addrgenmode", "none", "up")


class LossyLoopback(Namespaces):
    """One namespace whose loopback interface is like a wire: packets of 1500 bytes, each by itself,
    of which so many of a hundred are lost on arrival, drawn one by one."""

    def __init__(self, percent):
        need("ip", "nft")
        super().__init__("both")
        self.percent = percent

    def lay(self):
        name = self.names["both"]
        run("ip", "-n", name, "link", "set", "dev", "lo", "mtu", str(MTU), "gso_max_segs", "1",
            "up")
        run("ip", "netns", "exec", name, "nft", "-f", "-", given=(
            "table inet bench {\n chain arrival {\n  type filter hook input priority 0\n"
            f"  numgen random mod 100 < {self.percent} drop\n }}\n}}\n"))

    def inside(self, _):
        return super().inside("both")
