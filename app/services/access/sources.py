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
"""The maximum size of a short concern or addition, such as 'they are here now', in bytes.

A short concern is accepted above the limit `Sources.most`. A short addition is not counted at all.
"""


@dataclass(frozen=True)
class Admission:
    """The conditions under which a concern is accepted.

    `source_id` is the short id of the network that sent the concern, if that network has sent many concerns today.
    Otherwise `source_id` is empty. `is_late` is True if the response is to be delayed.
    """

    source_id: str = ""
    is_late: bool = False


UNCOUNTED = Admission()
"""The admission of a concern that is not counted: it comes from a client with a key, or from this host."""


@dataclass(frozen=True)
class Sources:
    """Limits for concerns and saved forms that are sent without a key, counted by network.

    - `unmarked` is low, and refuses nothing. A concern above this limit gets the id of its source, so that the desk
      can recognise a flood. Many concerns from one school are accepted.
    - `most` counts short and long concerns separately. A long concern above this limit is refused, unless a child is in
      danger. Other concerns above this limit are accepted with a delayed response, up to the limit `flood`.
    - `flood` protects the disk. This limit counts the concerns above `most`, in units of `SHORT_BYTES`. Above `flood`,
      only a short concern about a child in danger is accepted.
    - `saved_bytes` limits the bytes of saved forms from each of the wider networks of an address.
    """

    limiter: Limiter
    unmarked: Policy
    most: Policy
    flood: Policy
    saved_bytes: Policy

    async def admit(self, networks: LimitKeys, *, size: int, in_danger: bool, day: dt.date) -> Admission:
        """Count a concern of `size` bytes, and return the conditions under which the concern is accepted.

        `networks` are the networks of the sender, narrowest first. Return `UNCOUNTED` if `networks` is empty. `day` is
        the date for the source id. `in_danger` is True if the concern says that a child is in immediate danger. Such a
        concern is refused only if it is long and above the limit `flood`. Raise `TooManyConcerns` if a limit refuses
        the concern.
        """
        if not networks:
            return UNCOUNTED
        return await self.limiter.run(partial(self._admit, networks, size=size, in_danger=in_danger, day=day))

    def _admit(self, networks: LimitKeys, *, size: int, in_danger: bool, day: dt.date) -> Admission:
        name = f"long-{self.most.name}" if size > SHORT_BYTES else self.most.name
        is_late = self._take(name, networks, size, in_danger=in_danger)
        few = self.limiter.count_here(self.unmarked, networks)
        return Admission(self.limiter.source_id_of(few.caller, day) if few.is_over else "", is_late)

    def admit_addition(self, source_id: str, size: int, *, in_danger: bool) -> None:
        """Count a long addition to a concern with `source_id`. Raise `TooManyConcerns` if a limit refuses the addition.

        `source_id` is the id that `admit` gave to the concern's source, or empty. `size` is the size of the addition in
        bytes. Accept short additions, and additions to a concern with an empty `source_id`, without counting. A concern
        has a maximum number of additions, and a network can send only a few concerns a day without an id. `in_danger`
        is True if the addition says that a child is in immediate danger: such an addition is refused only above the
        limit `flood`. The call may wait for the shared store.
        """
        if source_id and size > SHORT_BYTES:
            self._take("long-additions", (LimitKey(source_id),), size, in_danger=in_danger)

    def _take(self, name: str, keys: LimitKeys, size: int, *, in_danger: bool) -> bool:
        """Count a text (a concern or an addition) of `size` bytes under `name` against the limit `most`.

        Return False if the text is within `most`, and True if it is above `most` but accepted. Raise `TooManyConcerns`
        if `most` or the limit `flood` refuses the text.
        """
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
        """Count a saved form of `size` bytes. Return the id of its source on `day`, or '' if `networks` is empty.

        The id is that of the narrowest of `networks`. The limit of that network is enforced elsewhere, with the ids in
        the table of saved forms. Only the wider networks are counted here, because storing their ids too would reveal
        the address. Raise `TooManySavedForms` if a wider network is over its limit. The call may wait for the shared
        store.
        """
        if not networks:
            return ""
        wide = networks[1:]
        if wide and (count := self.limiter.count_here(self.saved_bytes, wide, cost=size)).is_over:
            raise TooManySavedForms(count.seconds)
        return self.limiter.source_id_of(networks[0].name, day)


@dataclass(frozen=True)
class CodeTries:
    """Limits for the codes with which reporters return to a concern or a saved form.

    `wrong` limits the wrong codes for one name of a concern or form, even if no concern or form has that name.
    `wrong_of_network` limits the wrong codes from one network. `right` limits the right codes for one name and one
    purpose.
    """

    limiter: Limiter
    wrong: Policy
    wrong_of_network: Policy
    right: Policy

    @contextmanager
    def guard(self, name: str | None, networks: LimitKeys, purpose: str = "") -> Iterator[None]:
        """Count the use of a code that the `with` block checks.

        `name` names the concern or form of the code. If `name` is None, the block must find the code wrong. The code is
        wrong if the block raises `NoSuchConcern` or `NoSuchSavedForm`. A wrong code is counted under `name`, and under
        each of `networks`, the networks of the caller. After too many wrong codes, raise `TooManyTries` instead of that
        error: a guesser then learns nothing more. A right code is still accepted, so a guesser cannot lock reporters
        out. Raise `RateLimited` if a right code was used too often for `purpose`, a word for the use of the code. Call
        in a worker thread, because counting may wait for the shared store.
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
