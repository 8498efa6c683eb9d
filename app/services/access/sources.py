"""The limits of one source: whether a request is within them, and how many codes may be tried."""

import datetime as dt
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from app.errors import NoSuchConcern, NoSuchSavedForm, RateLimited, TooManyConcerns, TooManySavedForms, TooManyTries
from app.services.access.limits import Limiter, Network, Networks, Policy

SHORT_BYTES = 4096
"""Up to this size a concern is taken above the limits, and an addition is never counted: 'they are here now'."""


@dataclass(frozen=True)
class Admission:
    """How a concern is taken: the mark of its source, empty for all but many, and whether it is answered late."""

    mark: str = ""
    is_late: bool = False


UNCOUNTED = Admission()
"""How the concern of a client, or of this machine itself, is taken."""


@dataclass(frozen=True)
class Sources:
    """Counts concerns without a key by the networks that they come from, and marks those of a source that sends many.

    `unmarked` is small and marks, so that a school is taken and the desk can tell a flood apart. Above `most`, which
    long concerns have for themselves, a long one is refused and a short one is answered late, up to `flood`: parts of
    `SHORT_BYTES` that a disk bears. Who says that a child is in danger is taken above that too, in a few words.
    """

    limiter: Limiter
    unmarked: Policy
    most: Policy
    flood: Policy
    saved_bytes: Policy

    async def admit(self, networks: Networks, *, size: int, in_danger: bool, day: dt.date) -> Admission:
        """Count one more concern, of so many bytes, and return how it is taken. Raises `TooManyConcerns`."""
        if not networks:
            return UNCOUNTED
        return await self.limiter.run(partial(self._admit, networks, size=size, in_danger=in_danger, day=day))

    def _admit(self, networks: Networks, *, size: int, in_danger: bool, day: dt.date) -> Admission:
        name = f"long-{self.most.name}" if size > SHORT_BYTES else self.most.name
        is_late = self._take(name, networks, size, in_danger=in_danger)
        few = self.limiter.count_here(self.unmarked, networks)
        return Admission(self.limiter.mark(few.caller, day) if few.is_over else "", is_late)

    def admit_addition(self, mark: str, size: int, *, in_danger: bool) -> None:
        """Count one more long addition to a concern of that mark. Raises `TooManyConcerns`.

        A short one is always taken. A concern without a mark has its own bound; a source has few such concerns a day.
        """
        if mark and size > SHORT_BYTES:
            self._take("long-additions", (Network(mark),), size, in_danger=in_danger)

    def _take(self, name: str, networks: Networks, size: int, *, in_danger: bool) -> bool:
        """Count what came under that name, and return whether it is above the limit. Raises `TooManyConcerns`."""
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
        """Count one more form that is saved, of so many bytes, and return the mark of its source; empty for none.

        The mark is of the narrowest network, whose share the table of saved forms holds. The wider ones are counted
        here, since two more marks in a row would tell an address. Raises `TooManySavedForms`.
        """
        if not networks:
            return ""
        wide = networks[1:]
        if wide and (count := self.limiter.count_here(self.saved_bytes, wide, cost=size)).is_over:
            raise TooManySavedForms(count.seconds)
        return self.limiter.mark(networks[0].name, day)


@dataclass(frozen=True)
class CodeTries:
    """Counts wrong codes by what they are for, whether or not it exists, and by the networks that they come from.

    A right code is counted by what it opens, never by the address of whoever has it.
    """

    limiter: Limiter
    wrong: Policy
    wrong_of_network: Policy
    right: Policy

    @contextmanager
    def guard(self, name: str | None, networks: Networks, purpose: str = "") -> Iterator[None]:
        """Count a try of a code for `name`: a wrong one where the block raises `NoSuchConcern` or `NoSuchSavedForm`.

        Raises `TooManyTries` in its place, once too many were wrong: so whoever tries wrong codes keeps nobody from
        their concern, and learns no more than before. Raises `RateLimited` for a right one that was used too often for
        that purpose. Without a name, no code can be right. Runs in a worker thread.
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
