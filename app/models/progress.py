"""OnStep of long work: a function that is called with the steps that are done, and how many there are."""

from collections.abc import Callable

OnStep = Callable[[int, int], None]


def show_no_progress(_done: int, _total: int) -> None:
    """Show nothing."""
