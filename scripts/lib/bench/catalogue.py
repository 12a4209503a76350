# SPDX-License-Identifier: Apache-2.0
"""The contestants that the benchmark itself has, in the order of its tables."""

from . import works
from .contestants import ALL_TRAFFIC, MIXED_TRAFFIC, STREAMED, Aead, Device, Named, Socket
from .peers import Libfabric, Ucx
from .sluice import EVERYTHING, Sluice

CONNECTIONS = 60  # As many as requests are outstanding on the one connection of others.
AES = "aes-128-gcm"
JUMBO = "--mtu=9000"


def own():
    return [
        Sluice("sluice", "Sluice, AES-128-GCM", EVERYTHING, AES),
        Sluice("sluice-no-bundling", "Sluice, AES-128-GCM, a packet for each RPC", EVERYTHING,
               AES, options=("--no-bundling",)),
        Sluice("sluice-plain", "Sluice, plain", EVERYTHING, options=("--cipher=plaintext",)),
        Sluice("sluice-ring", "Sluice, AES-128-GCM, net_ring", EVERYTHING, AES, ring=True),
        Sluice("sluice-9000", "Sluice, AES-128-GCM, packets of 9000 B", STREAMED, AES,
               options=(JUMBO,), quick=False),
        Sluice("sluice-ring-9000", "Sluice, AES-128-GCM, net_ring, packets of 9000 B", STREAMED,
               AES, options=(JUMBO,), ring=True, quick=False),
        Sluice("sluice-af-packet", "Sluice, AES-128-GCM, net_af_packet", EVERYTHING, AES,
               cable=True, quick=False),
        Socket("tls", "TLS 1.3 over TCP, busy polling", MIXED_TRAFFIC, AES, options=("--tls",)),
        Socket("tls-epoll", "TLS 1.3 over TCP, epoll", (works.ROUND_TRIP, works.RATE), AES,
               options=("--tls", "--epoll")),
        Socket("tls-60", f"TLS 1.3 over TCP, {CONNECTIONS} connections", (works.RATE,), AES,
               options=("--tls",), connections=CONNECTIONS),
        Socket("ktls", "TLS 1.3 in the kernel, busy polling", MIXED_TRAFFIC, AES,
               options=("--ktls",)),
        Socket("tcp", "TCP, busy polling", MIXED_TRAFFIC),
        Socket("tcp-epoll", "TCP, epoll", (works.ROUND_TRIP, works.RATE), options=("--epoll",)),
        Socket("tcp-60", f"TCP, {CONNECTIONS} connections", (works.RATE,),
               connections=CONNECTIONS),
        Socket("grpc", "gRPC over TCP, no TLS", ALL_TRAFFIC, peer=True, program="grpc_rpc"),
        Ucx("ucx-tcp", "UCX over TCP", peer=True),
        Ucx("ucx-shm", "UCX, shared memory", (works.ROUND_TRIP,), peer=True, transport="posix"),
        Libfabric("libfabric-tcp", "libfabric over TCP", peer=True),
        Libfabric("libfabric-shm", "libfabric, shared memory", peer=True, transport="shm"),
        Device("raw-memif", "raw net_memif"),
        Device("raw-ring", "raw net_ring", ring=True),
        Aead("raw-aead", "raw AES-128-GCM"),
    ]


def named(peers):
    """Those that the user brings."""
    return [Named(name, name, command=command) for name, command in peers.items()]
