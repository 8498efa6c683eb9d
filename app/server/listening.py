"""The socket that the server listens at: where it is, and how it ends without cutting off a connection."""

import ctypes
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address

SO_ATTACH_FILTER = 26  # of Linux's asm-generic/socket.h
DROP_FIRST_PACKETS = (
    (0x30, 0, 0, 13),  # load the flags of the TCP header
    (0x54, 0, 0, 0x12),  # of these, SYN and ACK
    (0x15, 0, 1, 0x02),  # if it is SYN alone, go on; otherwise leave out one line
    (0x06, 0, 0, 0),  # drop the packet
    (0x06, 0, 0, 0xFFFF_FFFF),  # keep all of it
)
"""A program of the kernel's packet filter (classic BPF): the first packet of each new connection is dropped."""


def bind(host: str, ports: Sequence[int]) -> socket.socket:
    """Return a socket at the first of the ports that is free. Raises `OSError` if none is."""
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
    """Return the address to open in a browser on this machine."""
    name, port = listening.getsockname()[:2]
    host = ip_address(name)
    if host.is_unspecified:  # every address of this machine: the loopback is one
        host = ip_address("127.0.0.1" if host.version == 4 else "::1")  # noqa: PLR2004  # the versions of IP
    return f"http://{f'[{host}]' if host.version == 6 else host}:{port}"  # noqa: PLR2004  # likewise


def leave_new_connections(listening: socket.socket) -> None:
    """Let no new connection begin, while those that have begun are still accepted.

    A socket that is closed cuts off what the kernel has connected and the server has not accepted: a concern that was
    sent meanwhile would get no answer. So the first packets of new connections are dropped for a moment. Their senders
    repeat them a second later and are refused by the closed socket, which a proxy takes as leave to use another node.
    Another system than Linux has no such filter, and closes at once.
    """
    program = b"".join(struct.pack("HBBI", *line) for line in DROP_FIRST_PACKETS)
    memory = ctypes.create_string_buffer(program, len(program))
    place = struct.pack("HP", len(DROP_FIRST_PACKETS), ctypes.addressof(memory))
    with suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, place)
