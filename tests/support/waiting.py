"""Waiting for another thread or process. No test waits a fixed time for something to happen."""

import time
from collections.abc import Callable

LONG_ENOUGH = 30
POLL_SECONDS = 0.001


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds; fail after LONG_ENOUGH seconds."""
    assert eventually(condition, patience_seconds=LONG_ENOUGH, poll_seconds=POLL_SECONDS)


def eventually(condition: Callable[[], object], *, patience_seconds: float = 60, poll_seconds: float = 0.05) -> bool:
    """Wait until the condition holds, and return whether it does. The time limit only ends a test that would fail."""
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(poll_seconds)  # noqa: TID251  # the one wait of all tests
    return bool(condition())


def pause(seconds: float) -> None:
    """Let time pass where time is the subject, such as a slow client."""
    time.sleep(seconds)  # noqa: TID251  # as above
