"""The server's listening socket: its address, and a way to close the socket without cutting off a connection."""

import ctypes
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address

SO_ATTACH_FILTER = 26  # of Linux's asm-generic/socket.h
DROP_FIRST_PACKETS = (
    (0x30, 0, 0, 13),  # load the flags of the TCP header
    (0x54, 0, 0, 0x12),  # keep only the flags SYN and ACK
    (0x15, 0, 1, 0x02),  # if it is only SYN, continue; otherwise skip one line
    (0x06, 0, 0, 0),  # drop the packet
    (0x06, 0, 0, 0xFFFF_FFFF),  # keep the whole packet
)
"""A packet filter (classic BPF) that drops the first packet of each new connection."""


def bind(host: str, ports: Sequence[int]) -> socket.socket:
    """Return a socket bound to the first free port. Raise `OSError` if no port is free."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    *others, last = ports
    for port in others:
        with suppress(OSError):  # another program listens there
            listening.bind((host, port))
            return listening
    listening.bind((host, last))
    return listening


def address_of(listening: socket.socket) -> str:
    """Return the address for a browser on this host."""
    name, port = listening.getsockname()[:2]
    host = ip_address(name)
    if host.is_unspecified:  # bound to every address of this machine, including the loopback address
        host = ip_address("127.0.0.1" if host.version == 4 else "::1")  # noqa: PLR2004  # the versions of IP
    return f"http://{f'[{host}]' if host.version == 6 else host}:{port}"  # noqa: PLR2004  # the versions of IP


def leave_new_connections(listening: socket.socket) -> None:
    """Refuse new connections, while those that have begun are still accepted (on Linux; elsewhere do nothing).

    Closing a socket would cut off connections that the kernel has established, and a concern on one would get no
    response. First packets are dropped instead: clients try again after a second, and a proxy uses another process.
    """
    program = b"".join(struct.pack("HBBI", *line) for line in DROP_FIRST_PACKETS)
    memory = ctypes.create_string_buffer(program, len(program))
    place = struct.pack("HP", len(DROP_FIRST_PACKETS), ctypes.addressof(memory))
    with suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, place)
