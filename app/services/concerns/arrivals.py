"""The arrival of a concern or an addition: who received it, by which channel, and when."""

import datetime as dt
from dataclasses import dataclass
from typing import Self

from app.models.concerns.channels import Channel
from app.services.audit.audit_log import REPORTER, Actor, by_reporter


@dataclass(frozen=True)
class Arrival:
    """The arrival of a concern or an addition.

    `actor` is the reporter, or the worker who writes the concern or addition down, with the time of storing. `channel`
    is how it came, such as a call or a letter. `came_at` is the time when it came, from which its deadline is computed.
    If `has_code` is False, the reporter gets no status token.
    """

    actor: Actor
    channel: Channel
    came_at: dt.datetime
    has_code: bool = True

    @classmethod
    def of_reporter(cls, channel: Channel, *, at: dt.datetime) -> Self:
        """Return the arrival of a concern or an addition that the reporter sends by `channel` at the time `at`."""
        return cls(by_reporter(at), channel, at)

    @property
    def at(self) -> dt.datetime:
        """The time of storing."""
        return self.actor.at

    @property
    def received_by(self) -> str:
        """The worker who writes the text down, as named in the audit log. Empty if the reporter sends the text."""
        return "" if self.actor.client == REPORTER else self.actor.client
