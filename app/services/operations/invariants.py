"""Invariants: what is always true of the database, checked again and again while the service runs."""

import datetime as dt
from collections.abc import Collection, Iterator
from enum import StrEnum

from sqlalchemy import Engine
from sqlmodel import Session

from app.services.operations.verification import verify_disclosures, verify_log
from app.store.promises import overdue_without_event, sealed_to_others

OVERDUE_GRACE = dt.timedelta(minutes=5)
"""How long after its hour an event may be missing: a process that was away notes what is overdue when it is back."""


class Invariant(StrEnum):
    """What is always true."""

    OVERDUE_EVENTS = "overdue-events"
    """Nothing waits past its hour without an event that says so."""
    CHAINS = "chains"
    """Every chain of disclosures verifies, and so does the order of all chains."""
    RECIPIENTS = "recipients"
    """No text is sealed to a recipient that was removed."""


def find_broken(engine: Engine, invariant: Invariant, *, recipients: Collection[str], at: dt.datetime) -> list[str]:
    """Return what breaks the invariant. `recipients` are the fingerprints that concerns are sealed to now."""
    return list(_broken(engine, invariant, recipients, at))


def _broken(engine: Engine, invariant: Invariant, recipients: Collection[str], at: dt.datetime) -> Iterator[str]:
    if invariant is Invariant.CHAINS:
        yield from (f"disclosures of {chain}: {fault}" for chain, fault in verify_disclosures(engine))
        yield from (f"record: {fault}" for fault in verify_log(engine))
        return
    with Session(engine) as session:
        if invariant is Invariant.OVERDUE_EVENTS:
            yield from overdue_without_event(session, before=at - OVERDUE_GRACE)
        else:
            yield from sealed_to_others(session, recipients)
