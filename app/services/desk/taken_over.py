"""Concerns that were taken from a person in the last day, found by replaying the assignments in the audit log."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from sqlmodel import Session, col, select

from app.models.audit.details import ASSIGNING_ACTS
from app.models.audit.rows import AuditEntryRow
from app.models.concerns.rows import ConcernRow
from app.services.access.restrictions import may_open
from app.services.audit.audit_log import Actor
from app.services.desk.assignment import Assigned

SHOWN_FOR = dt.timedelta(days=1)
"""How long the inbox of the former owner shows it."""


@dataclass(frozen=True)
class TakenOver:
    """A concern that another person took over. `to` is None if it was unassigned."""

    reference: str
    at: dt.datetime
    by: str
    to: str | None


def list_taken_over(session: Session, actor: Actor) -> list[TakenOver]:
    """Return what was taken over in the last day, most recent first. The caller records the reading.

    Concerns that were given back, or that the person may not open, are left out.
    """
    person, since = actor.person, actor.at - SHOWN_FOR
    changed = select(ConcernRow.reference).where(
        ConcernRow.changed_at >= since,
        ConcernRow.assigned_to != person,
        col(ConcernRow.test).is_(False),
        may_open(actor),
    )
    acts = select(AuditEntryRow).where(
        col(AuditEntryRow.chain).in_(changed), col(AuditEntryRow.act).in_(ASSIGNING_ACTS)
    )
    ordered = session.exec(acts.order_by(AuditEntryRow.chain, col(AuditEntryRow.number)))
    losses = (_last_loss(rows, person) for _, rows in groupby(ordered, key=attrgetter("chain")))
    found = [each for each in losses if each is not None and each.at >= since]
    return sorted(found, key=attrgetter("at"), reverse=True)


def _last_loss(rows: Iterable[AuditEntryRow], person: str) -> TakenOver | None:
    """Return None if the concern was never taken, or `person` gave it away the last time."""
    owner, loss = None, None
    for row in rows:
        new = Assigned.by_act(row).person
        if owner == person and new != person:
            by = Actor(row.client, row.address, row.at).person
            loss = None if by == person else TakenOver(row.chain, row.at, by, new)
        owner = new
    return loss
