"""Limits of time and memory for a child process that reads an editor's file. The process limits itself."""

import resource
import sys
from collections.abc import Callable

MAX_SECONDS = 4
"""Limit of the processor time of the process, in seconds."""
MAX_MEMORY_BYTES = 260_000_000
"""Limit of the writable memory of the process, in bytes."""


def run_limited(read: Callable[[bytes], str]) -> None:
    """Limit this process, call `read` with the bytes from standard input, and print the text that `read` returns.

    The limits are on processor time and memory. Above the limit of time, the system ends the process. The process
    writes no core dump.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.write(read(sys.stdin.buffer.read()))
