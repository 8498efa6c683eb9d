"""Waiting for another thread."""

import time
from collections.abc import Callable

LONG_ENOUGH = 30


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds; fail after LONG_ENOUGH seconds."""
    deadline = time.monotonic() + LONG_ENOUGH
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)
