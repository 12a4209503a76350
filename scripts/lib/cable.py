# SPDX-License-Identifier: Apache-2.0
"""Two network namespaces joined by a cable of the kernel's, which root can lay."""

import itertools
import os
import subprocess

_numbers = itertools.count()


def ip(*words):
    done = subprocess.run(["ip", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"ip {' '.join(words)}: {done.stdout.strip()}")


class Cable:
    """A veth pair whose ends lie in two new namespaces, of which one is the client's."""

    def __init__(self, mtu):
        tag = f"{os.getpid()}-{next(_numbers)}"
        self.mtu = mtu
        self.namespaces = {"client": f"sluice-{tag}-c", "server": f"sluice-{tag}-s"}
        self.interfaces = {"client": "sl-c", "server": "sl-s"}
        self.made = []

    def lay(self):
        for namespace in self.namespaces.values():
            ip("netns", "add", namespace)
            self.made.append(namespace)
        self.join_ends()

    def join_ends(self):
        ends = [("name", self.interfaces[side], "netns", self.namespaces[side], "mtu",
                 str(self.mtu)) for side in ("client", "server")]
        ip("link", "add", *ends[0], "type", "veth", "peer", *ends[1])
        for side in ("client", "server"):
            self.raise_end(side, self.interfaces[side])

    def raise_end(self, side, interface):
        # The kernels at both ends have nothing to say here.
        ip("-n", self.namespaces[side], "link", "set", "dev", interface, "arp", "off",
           "addrgenmode", "none", "up")

    def remove(self):
        for namespace in self.made:
            try:
                ip("netns", "delete", namespace)
            except OSError as error:
                print(error)

    def inside(self, side):
        """The words that run a command in a side's namespace; its process keeps its pid."""
        return ("ip", "netns", "exec", self.namespaces[side])
