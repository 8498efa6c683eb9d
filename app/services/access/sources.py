"""Rate limits for people without a key: how many concerns, additions, saved forms and codes they may send."""

import datetime as dt
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from app.errors import NoSuchConcern, NoSuchSavedForm, RateLimited, TooManyConcerns, TooManySavedForms, TooManyTries
from app.services.access.limits import Limiter, LimitKey, LimitKeys, Policy

SHORT_BYTES = 4096
"""A short text is such as 'they are here now': accepted above `most`, and as an addition not counted."""


@dataclass(frozen=True)
class Admission:
    """Terms on which a concern is accepted. `source_id` is set for a busy network; `is_late` delays the response."""

    source_id: str = ""
    is_late: bool = False


UNCOUNTED = Admission()
"""Terms for a client with a key, or for this host."""


@dataclass(frozen=True)
class Sources:
    """Limits for concerns and saved forms without a key, by network.

    Above `unmarked` a concern gets the id of its source, so that the desk can recognise a flood. Above `most`, which
    counts short and long concerns separately, a long one is refused unless a child is in danger, and others are
    answered late. Above `flood`, which protects the disk, only a short concern in danger is accepted. `saved_bytes`
    limits saved forms from each of the wider networks of an address.
    """

    limiter: Limiter
    unmarked: Policy
    most: Policy
    flood: Policy
    saved_bytes: Policy

    async def admit(self, networks: LimitKeys, *, size: int, in_danger: bool, day: dt.date) -> Admission:
        """Count a concern of `size` bytes. Raise `TooManyConcerns`, in danger only if it is long and above `flood`."""
        if not networks:
            return UNCOUNTED
        return await self.limiter.run(partial(self._admit, networks, size=size, in_danger=in_danger, day=day))

    def _admit(self, networks: LimitKeys, *, size: int, in_danger: bool, day: dt.date) -> Admission:
        name = f"long-{self.most.name}" if size > SHORT_BYTES else self.most.name
        is_late = self._take(name, networks, size, in_danger=in_danger)
        few = self.limiter.count_here(self.unmarked, networks)
        return Admission(self.limiter.source_id_of(few.caller, day) if few.is_over else "", is_late)

    def admit_addition(self, source_id: str, size: int, *, in_danger: bool) -> None:
        """Count a long addition with a `source_id`. Raise `TooManyConcerns`, in danger only above `flood`."""
        if source_id and size > SHORT_BYTES:
            self._take("long-additions", (LimitKey(source_id),), size, in_danger=in_danger)

    def _take(self, name: str, keys: LimitKeys, size: int, *, in_danger: bool) -> bool:
        """Return True if the text is above `most` but accepted. Raise `TooManyConcerns`."""
        most = self.limiter.count_here(Policy(name, self.most.item), keys)
        is_long = size > SHORT_BYTES
        if not most.is_over:
            return False
        if is_long and not in_danger:
            raise TooManyConcerns(most.seconds)
        spent = self.limiter.count_here(self.flood, keys, cost=math.ceil(size / SHORT_BYTES))
        if spent.is_over and (is_long or not in_danger):
            raise TooManyConcerns(spent.seconds)
        return True

    def admit_saved_form(self, networks: LimitKeys, size: int, *, day: dt.date) -> str:
        """Count the wider networks, and return the source id. It may block. Raise `TooManySavedForms`."""
        if not networks:
            return ""
        wide = networks[1:]
        if wide and (count := self.limiter.count_here(self.saved_bytes, wide, cost=size)).is_over:
            raise TooManySavedForms(count.seconds)
        return self.limiter.source_id_of(networks[0].name, day)


@dataclass(frozen=True)
class CodeTries:
    """Limits for reporters' codes: wrong ones for a name and from a network, right ones for a name and purpose."""

    limiter: Limiter
    wrong: Policy
    wrong_of_network: Policy
    right: Policy

    @contextmanager
    def guard(self, name: str | None, networks: LimitKeys, purpose: str = "") -> Iterator[None]:
        """Count the use of a code, which is wrong if the block raises `NoSuchConcern` or `NoSuchSavedForm`.

        After too many wrong codes it raises `TooManyTries` instead: a guesser learns nothing more, and a right code is
        still accepted. A right code used too often raises `RateLimited`. Call in a worker thread.
        """
        try:
            yield
        except (NoSuchConcern, NoSuchSavedForm):
            counted = [(self.wrong, (LimitKey(name),) if name else ()), (self.wrong_of_network, networks)]
            counts = [self.limiter.count_here(policy, whose) for policy, whose in counted if whose]
            if over := [count.seconds for count in counts if count.is_over]:
                raise TooManyTries(max(over)) from None
            raise
        count = self.limiter.count_here(self.right, (LimitKey(f"{purpose} {name}"),))
        if count.is_over:
            raise RateLimited(count.seconds)
