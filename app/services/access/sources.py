"""Limits per source: how many concerns, saved forms and codes one network may send."""

import datetime as dt
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from app.errors import NoSuchConcern, NoSuchSavedForm, RateLimited, TooManyConcerns, TooManySavedForms, TooManyTries
from app.services.access.limits import Limiter, Network, Networks, Policy

SHORT_BYTES = 4096
"""Up to this size a concern is accepted above the limits, and an addition is never counted: 'they are here now'."""


@dataclass(frozen=True)
class Admission:
    """How a concern is accepted: the mark of its source, empty for most, and a flag for a delayed response."""

    mark: str = ""
    is_late: bool = False


UNCOUNTED = Admission()
"""The admission of a concern from a client, or from this host."""


@dataclass(frozen=True)
class Sources:
    """Limits of concerns sent without a key, counted by network. A source that sends many has its concerns marked.

    The limit `unmarked` is small and only marks: a school's concerns are accepted, and the desk can recognise a flood.
    Above `most`, which counts long concerns separately, a long concern is refused, unless a child is in danger. Others
    are accepted with a delayed response up to `flood`, which counts in units of `SHORT_BYTES` and protects the disk. A
    short concern about a child in danger is accepted above `flood` too.
    """

    limiter: Limiter
    unmarked: Policy
    most: Policy
    flood: Policy
    saved_bytes: Policy

    async def admit(self, networks: Networks, *, size: int, in_danger: bool, day: dt.date) -> Admission:
        """Count one more concern of `size` bytes, and return how it is accepted. Raises `TooManyConcerns`."""
        if not networks:
            return UNCOUNTED
        return await self.limiter.run(partial(self._admit, networks, size=size, in_danger=in_danger, day=day))

    def _admit(self, networks: Networks, *, size: int, in_danger: bool, day: dt.date) -> Admission:
        name = f"long-{self.most.name}" if size > SHORT_BYTES else self.most.name
        is_late = self._take(name, networks, size, in_danger=in_danger)
        few = self.limiter.count_here(self.unmarked, networks)
        return Admission(self.limiter.mark(few.caller, day) if few.is_over else "", is_late)

    def admit_addition(self, mark: str, size: int, *, in_danger: bool) -> None:
        """Count one more long addition to a concern with that mark. Raises `TooManyConcerns`.

        A short addition is always accepted. A concern without a mark has its own bound; a source has few such concerns
        a day.
        """
        if mark and size > SHORT_BYTES:
            self._take("long-additions", (Network(mark),), size, in_danger=in_danger)

    def _take(self, name: str, networks: Networks, size: int, *, in_danger: bool) -> bool:
        """Count one submission under that name. Return True if it is above the limit. Raises `TooManyConcerns`."""
        most = self.limiter.count_here(Policy(name, self.most.item), networks)
        is_long = size > SHORT_BYTES
        if not most.is_over:
            return False
        if is_long and not in_danger:
            raise TooManyConcerns(most.seconds)
        spent = self.limiter.count_here(self.flood, networks, cost=math.ceil(size / SHORT_BYTES))
        if spent.is_over and (is_long or not in_danger):
            raise TooManyConcerns(spent.seconds)
        return True

    def admit_saved_form(self, networks: Networks, size: int, *, day: dt.date) -> str:
        """Count one more saved form of `size` bytes. Return the mark of its source; empty if there is none.

        The mark is of the narrowest network, whose share is enforced in the table of saved forms. Wider networks are
        counted here, since two more marks in a row would reveal an address. Raises `TooManySavedForms`.
        """
        if not networks:
            return ""
        wide = networks[1:]
        if wide and (count := self.limiter.count_here(self.saved_bytes, wide, cost=size)).is_over:
            raise TooManySavedForms(count.seconds)
        return self.limiter.mark(networks[0].name, day)


@dataclass(frozen=True)
class CodeTries:
    """Limits of codes. Wrong codes are counted by the name they are for, even an unknown one, and by network.

    A right code is counted by its concern or form, never by the caller's address.
    """

    limiter: Limiter
    wrong: Policy
    wrong_of_network: Policy
    right: Policy

    @contextmanager
    def guard(self, name: str | None, networks: Networks, purpose: str = "") -> Iterator[None]:
        """Count a try of a code for `name`. The code is wrong if the block raises `NoSuchConcern` or `NoSuchSavedForm`.

        Raises `TooManyTries` in place of these after too many wrong codes. So a guesser does not lock reporters out of
        their concern, and learns nothing more. Raises `RateLimited` for a right code that was used too often for that
        purpose. Without a name, no code can be right. Runs in a worker thread.
        """
        try:
            yield
        except (NoSuchConcern, NoSuchSavedForm):
            counted = [(self.wrong, (Network(name),) if name else ()), (self.wrong_of_network, networks)]
            counts = [self.limiter.count_here(policy, whose) for policy, whose in counted if whose]
            if over := [count.seconds for count in counts if count.is_over]:
                raise TooManyTries(max(over)) from None
            raise
        count = self.limiter.count_here(self.right, (Network(f"{purpose} {name}"),))
        if count.is_over:
            raise RateLimited(count.seconds)
