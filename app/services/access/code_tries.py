"""Wrong codes for one concern: how many may be tried before every code is refused for a while."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.errors import NoSuchConcern, NoSuchDraft, TooManyTries
from app.models.concerns.references import find_reference
from app.services.access.rate_limiting import Limiter, Policy

T = TypeVar("T")


@dataclass(frozen=True)
class CodeTries:
    """Counts wrong status tokens by reference, whether or not that concern exists, and never right ones."""

    limiter: Limiter
    policy: Policy

    def guard(self, typed_reference: str, read: Callable[[], T]) -> T:
        """Return what `read` returns; where it raises `NoSuchConcern`, count a wrong try.

        Raises `TooManyTries` without calling `read`, once too many were wrong. Runs in a worker thread.
        """
        reference = find_reference(typed_reference)
        if reference is None:  # no concern has it, so no code opens it
            return read()
        return self.guard_name(reference, read)

    def guard_name(self, name: str, read: Callable[[], T]) -> T:
        """Do the same for anything else that has a code, and count by `name`."""
        count = self.limiter.count_here(self.policy, name, adds=False)
        if count.is_over:
            raise TooManyTries(count.seconds)
        try:
            return read()
        except (NoSuchConcern, NoSuchDraft):
            self.limiter.count_here(self.policy, name)
            raise
