# SPDX-License-Identifier: Apache-2.0
"""Networks of the kernel's that a sample gets for itself: namespaces, which need root, and are gone
when the sample is."""

import os
import shutil
import subprocess

from .. import cable
from . import PartAbsent

MTU = 1500


def need(*programs):
    if os.geteuid() != 0:
        raise PartAbsent("it needs network namespaces, which only root can make")
    for program in programs:
        if shutil.which(program) is None:
            raise PartAbsent(f"it needs {program} (scripts/setup --bench)")


class Laid(cable.Cable):
    """One that lies for as long as a `with` lasts, or is the reason why a part is not measured."""

    def __init__(self, *programs):
        need("ip", *programs)
        super().__init__(MTU)

    def __enter__(self):
        try:
            self.lay()
        except OSError as why:
            self.remove()
            raise PartAbsent(str(why)) from None
        return self

    def __exit__(self, *_):
        self.remove()


class Cable(Laid):
    """A veth pair between the client's namespace and the server's."""


class LossyLoopback(Laid):
    """One namespace for both, whose loopback interface is like a wire: packets of 1500 bytes, each
    by itself, of which so many of a hundred are lost on arrival, drawn one by one."""

    def __init__(self, percent):
        super().__init__("nft")
        self.namespaces["server"] = self.namespaces["client"]
        self.percent = percent

    def lay(self):
        name = self.namespaces["client"]
        cable.ip("netns", "add", name)
        self.made.append(name)
        cable.ip("-n", name, "link", "set", "dev", "lo", "mtu", str(self.mtu), "gso_max_segs", "1",
                 "up")
        done = subprocess.run([*self.inside("client"), "nft", "-f", "-"], input=(
            "table inet bench {\n chain arrival {\n  type filter hook input priority 0\n"
            f"  numgen random mod 100 < {self.percent} drop\n }}\n}}\n"), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise OSError(f"nft: {' '.join(done.stdout.split())}")
