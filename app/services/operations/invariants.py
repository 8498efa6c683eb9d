"""Invariants: what is always true of the database, checked again and again while the service runs."""

import datetime as dt
from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import Engine
from sqlmodel import Session

from app.services.operations.sliced_checks import OverdueCheck, RecipientsCheck, RecordCheck, SlicedCheck
from app.store.record_slices import RecordPass


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
    check = begin_check(invariant, recipients=recipients, at=at)
    broken = []
    while not check.is_done:
        with Session(engine) as session:
            broken += check.check_slice(session)
    return broken


def begin_check(invariant: Invariant, *, recipients: Collection[str], at: dt.datetime) -> SlicedCheck:
    """Return a check of the invariant, at its beginning."""
    if invariant is Invariant.CHAINS:
        return RecordCheck(RecordPass())
    if invariant is Invariant.OVERDUE_EVENTS:
        return OverdueCheck(at)
    return RecipientsCheck(recipients)
