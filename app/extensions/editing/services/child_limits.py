"""The process that reads editors' files: `python -m app.extensions.editing.services.child_limits DESCRIPTOR`.

It imports each reader once, and forks a child for each file. The child limits its own time and memory, reads the file,
and ends. The process ends when the service does, and after `IDLE_SECONDS` without a file.
"""

import json
import os
import resource
import socket
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module

MAX_SECONDS = 4
"""Limit of the processor time of a child, in seconds."""
MAX_MEMORY_BYTES = 260_000_000
"""Limit of the writable memory of a child, in bytes."""
IDLE_SECONDS = 600.0
MAX_REQUEST_BYTES = 4_096
CHUNK_BYTES = 65_536


def serve_files(control: socket.socket) -> None:
    """Answer requests from `control`.

    Each names a reader's module and a file, and passes a connection for the result.
    """
    control.settimeout(IDLE_SECONDS)
    while True:
        try:
            request, (*descriptors,), *_ = socket.recv_fds(control, MAX_REQUEST_BYTES, 1)
        except TimeoutError:
            control.shutdown(socket.SHUT_RD)  # the service can send nothing more: what it sent before is still read
            continue
        if not request:
            return
        module, name = json.loads(request)
        read = import_module(module).read
        with socket.socket(fileno=descriptors[0]) as connection:
            if os.fork() == 0:
                control.close()
                _read_limited(connection, partial(read, name))
        os.wait()


def _read_limited(connection: socket.socket, read: Callable[[bytes], str]) -> None:
    """Limit this process, send the text that `read` returns of the received bytes, and end the process.

    Above the limit of time, the system ends the process. The process writes no core dump.
    """
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
        resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        data = b"".join(iter(lambda: connection.recv(CHUNK_BYTES), b""))
        connection.sendall(read(data).encode())
    finally:
        os._exit(0)


if __name__ == "__main__":
    serve_files(socket.socket(fileno=int(sys.argv[1])))
