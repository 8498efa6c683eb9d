"""Waiting for what another thread does."""

import time
from collections.abc import Callable

LONG_ENOUGH = 30


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for something that is sure to come."""
    deadline = time.monotonic() + LONG_ENOUGH
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)
