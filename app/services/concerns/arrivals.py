"""The arrival of a concern or an addition: who received it, by which channel, and when."""

import datetime as dt
from dataclasses import dataclass

from app.models.concerns.channels import Channel
from app.services.audit.audit_log import REPORTER, Actor


@dataclass(frozen=True)
class Arrival:
    """How a concern came. The deadline counts from `came_at`. Without `has_code` the reporter gets no status token."""

    actor: Actor
    channel: Channel
    came_at: dt.datetime
    has_code: bool = True

    @property
    def at(self) -> dt.datetime:
        return self.actor.at

    @property
    def received_by(self) -> str:
        """Return the worker who wrote the text down, by their name in the audit log; empty for a reporter."""
        return "" if self.actor.client == REPORTER else self.actor.client
