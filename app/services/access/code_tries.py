"""Wrong codes for one concern: how many may be tried before every code is refused for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.errors import NoSuchConcern, NoSuchDraft, TooManyTries
from app.models.concerns.references import find_reference
from app.services.access.rate_limiting import Limiter, Policy


@dataclass(frozen=True)
class CodeTries:
    """Counts wrong status tokens by reference, whether or not that concern exists, and never right ones."""

    limiter: Limiter
    policy: Policy

    @contextmanager
    def guard(self, typed_reference: str) -> Iterator[None]:
        """Count a wrong try where the block raises `NoSuchConcern`.

        Raises `TooManyTries` before the block runs, once too many were wrong. Runs in a worker thread.
        """
        reference = find_reference(typed_reference)
        if reference is None:  # no concern has it, so no code opens it
            yield
            return
        with self.guard_name(reference):
            yield

    @contextmanager
    def guard_name(self, name: str) -> Iterator[None]:
        """Do the same for anything else that has a code, and count by `name`."""
        count = self.limiter.count_here(self.policy, name, adds=False)
        if count.is_over:
            raise TooManyTries(count.seconds)
        try:
            yield
        except (NoSuchConcern, NoSuchDraft):
            self.limiter.count_here(self.policy, name)
            raise
