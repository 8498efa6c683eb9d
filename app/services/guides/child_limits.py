"""Limits that a child process sets for itself, before it reads a file that an editor uploaded."""

import resource

MAX_SECONDS = 4
"""Limit of the processor time of the process, in seconds."""
MAX_MEMORY_BYTES = 260_000_000
"""Limit of the writable memory of the process, in bytes."""


def limit_this_process() -> None:
    """Limit the processor time and the memory of this process, and let it write no core dump."""
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
