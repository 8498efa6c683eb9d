"""OnStep of long work: a function that is called with the steps that are done, and how many there are."""

from collections.abc import Callable

OnStep = Callable[[int, int], None]


def show_no_progress(_done: int, _total: int) -> None:
    """Show nothing."""


def steps_of_part(on_step: OnStep, *, after: int, total: int) -> OnStep:
    """Return a function for one part of the work, which begins after so many steps of the whole."""
    return lambda done, _of_the_part: on_step(after + done, total)
