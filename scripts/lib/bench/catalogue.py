# SPDX-License-Identifier: Apache-2.0
"""The contestants that the benchmark itself has, in the order of its tables."""

from . import works
from .contestants import Aead, Device, Named, Sluice, Socket

CONNECTIONS = 60  # As many as requests are outstanding on the one connection of others.
AES = "aes-128-gcm"


def own():
    return [
        Sluice("sluice", "Sluice, AES-128-GCM", cipher=AES),
        Sluice("sluice-no-bundling", "Sluice, AES-128-GCM, a packet for each RPC", cipher=AES,
               options=("--no-bundling",)),
        Sluice("sluice-plain", "Sluice, plain", options=("--cipher=plaintext",)),
        Sluice("sluice-ring", "Sluice, AES-128-GCM, net_ring", cipher=AES, ring=True),
        Socket("tls", "TLS 1.3 over TCP, busy polling", cipher=AES, options=("--tls",)),
        Socket("tls-epoll", "TLS 1.3 over TCP, epoll", cipher=AES, options=("--tls", "--epoll"),
               parts=(works.ROUND_TRIP, works.RATE)),
        Socket("tls-60", f"TLS 1.3 over TCP, {CONNECTIONS} connections", cipher=AES,
               options=("--tls",), parts=(works.RATE,), connections=CONNECTIONS),
        Socket("ktls", "TLS 1.3 in the kernel, busy polling", cipher=AES, options=("--ktls",)),
        Socket("tcp", "TCP, busy polling"),
        Socket("tcp-epoll", "TCP, epoll", options=("--epoll",),
               parts=(works.ROUND_TRIP, works.RATE)),
        Socket("tcp-60", f"TCP, {CONNECTIONS} connections", parts=(works.RATE,),
               connections=CONNECTIONS),
        Device("raw-memif", "raw net_memif"),
        Device("raw-ring", "raw net_ring", ring=True),
        Aead("raw-aead", "raw AES-128-GCM"),
    ]


def named(peers):
    """Those that the user brings."""
    return [Named(name, name, command=command) for name, command in peers.items()]
