"""The memory allocator of the C library, in a process with many threads."""

import ctypes
from contextlib import suppress

ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h


def use_one_arena() -> None:
    """Let all threads take memory from one arena, where the C library is glibc.

    By itself it gives threads arenas of their own, up to eight for each processor. Each holds on to what it once
    needed, so a process with twenty threads grows for hours. Python lets one thread run at a time: they do not wait.
    """
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(ARENA_MAX, 1)
