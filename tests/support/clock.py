"""A clock that a test can set."""

import datetime as dt

A_TUESDAY = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)


class SettableClock:
    """A clock that returns the time set by the test."""

    def __init__(self) -> None:
        self.time = A_TUESDAY

    def __call__(self) -> dt.datetime:
        return self.time
