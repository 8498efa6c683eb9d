"""The days on which a concern is to be looked at again: one for the team, and one for each person."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from app.models.audit.details import LookAgainDetails, ShownDetails
from app.models.audit.rows import DeskAct
from app.models.concerns.rows import ConcernRow
from app.models.desk.look_again import OFFICER, TEAM, LookAgain, LookAgainRow, LookAgainState, Whose
from app.services.access.restrictions import has_lead, may_open
from app.services.audit.audit_log import Actor, record_action
from app.services.clock.working_days import LONDON
from app.services.concerns.rows import get_concern, get_unerased

MOST_DUE = 50


@dataclass(frozen=True)
class Due:
    """A day that has come: the person's own, the team's, or the earlier of both."""

    reference: str
    day: dt.date
    is_own: bool
    is_teams: bool


def set_day(session: Session, reference: str, look_again: LookAgain, actor: Actor) -> LookAgainState:
    """Set the team's day, or the actor's own, which only they see. Raise `NoSuchConcern` or `ConcernErased`."""
    get_unerased(session, reference)
    is_own, is_officers = look_again.whose is Whose.OWN, look_again.whose is Whose.OFFICER
    details = LookAgainDetails(day=look_again.day, own=is_own, officer=is_officers)
    record_action(session, reference, DeskAct.LOOK_AGAIN, actor, details)
    person = actor.person if is_own else OFFICER if is_officers else TEAM
    if look_again.day is not None:
        session.merge(LookAgainRow(reference=reference, person=person, day=look_again.day))
    elif (row := session.get(LookAgainRow, (reference, person))) is not None:
        session.delete(row)
    session.flush()
    return find_days(session, reference, actor.person)


def mark_allegation(session: Session, reference: str, officer_by: dt.date, actor: Actor) -> None:
    """Set the day by which to tell the designated officer, unless one is set. Raise the errors of `set_day`."""
    if find_days(session, reference, TEAM).officer is None:
        set_day(session, reference, LookAgain(day=officer_by, whose=Whose.OFFICER), actor)


def read_both_days(session: Session, reference: str, actor: Actor) -> LookAgainState:
    """Return both days, and record the reading. Raise `NoSuchConcern`."""
    get_concern(session, reference)
    record_action(session, reference, DeskAct.LISTED, actor, ShownDetails(what="look again"))
    return find_days(session, reference, actor.person)


def find_days(session: Session, reference: str, person: str) -> LookAgainState:
    """Return the days of a concern. The caller records the reading."""
    rows = select(LookAgainRow).where(
        LookAgainRow.reference == reference, col(LookAgainRow.person).in_((TEAM, OFFICER, person))
    )
    days = {row.person: row.day for row in session.exec(rows)}
    return LookAgainState(reference=reference, team=days.get(TEAM), own=days.get(person), officer=days.get(OFFICER))


def list_due(session: Session, actor: Actor) -> Sequence[Due]:
    """Return at most `MOST_DUE` that are due by today in London, earliest first. The caller records the reading."""
    person, today = actor.person, actor.at.astimezone(LONDON).date()
    rows = (
        select(LookAgainRow)
        .join(ConcernRow, col(ConcernRow.reference) == LookAgainRow.reference)
        .where(col(LookAgainRow.person).in_((TEAM, person)), LookAgainRow.day <= today, may_open(actor))
        .order_by(col(LookAgainRow.day), col(LookAgainRow.reference))
    )
    found: dict[str, Due] = {}
    for row in session.exec(rows.limit(2 * MOST_DUE)):
        former, is_own = found.get(row.reference), row.person == person
        found[row.reference] = Due(
            row.reference,
            row.day if former is None else former.day,
            is_own or (former is not None and former.is_own),
            not is_own or (former is not None and former.is_teams),
        )
    return list(found.values())[:MOST_DUE]


def list_untold(session: Session, actor: Actor) -> Sequence[LookAgainRow]:
    """Return at most `MOST_DUE` allegations, earliest first, without tests.

    Only leads get them, or everyone if there is no lead.
    """
    if not actor.is_lead and has_lead(session):
        return ()
    rows = select(LookAgainRow).join(ConcernRow, col(ConcernRow.reference) == LookAgainRow.reference)
    untold = rows.where(LookAgainRow.person == OFFICER, col(ConcernRow.test).is_(False), may_open(actor))
    return session.exec(untold.order_by(col(LookAgainRow.day), col(LookAgainRow.reference)).limit(MOST_DUE)).all()
