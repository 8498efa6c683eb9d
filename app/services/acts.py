"""The duty team's operations, each with a disclosure in the same transaction, and the events of overdue concerns."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

from app.db.writer import Writer, write_operation
from app.errors import AssignmentChanged, ConcernErased, NotAcknowledged, OnHold, OutcomeGiven
from app.models.acts import OpenedConcern
from app.models.base import format_utc
from app.models.concerns import ConcernRow
from app.models.entries import EntryKind, EntryRow
from app.models.events import EventKind
from app.models.links import desk_additions_path
from app.models.receipts import ConcernState
from app.models.record import DeskAct, DisclosureRow
from app.models.record_details import ASSIGNING_ACTS, closing_detail
from app.services.concerns import get_concern, get_unerased
from app.services.cursors import encode_key
from app.services.entries import (
    GIVEN,
    EntryPage,
    PagePlace,
    SealedEntries,
    acknowledge_up_to,
    last_page_of,
    list_entries,
    measure_entries,
    opened_additions,
    opens_all,
    page_of,
)
from app.services.events import append_event, concern_payload
from app.services.inbox import concern_fields
from app.services.record import Actor, record_change, record_disclosure
from app.services.sealing import Unsealer


@write_operation
def acknowledge(session: Session, reference: str, *, actor: Actor, up_to_addition: int = 0) -> ConcernRow:
    """Record that a social worker has seen the concern, and what was added to it, up to the addition of that number.

    Later additions go on waiting: an acknowledgement covers only what it names. Again, it only adds a disclosure.
    Raises `NoSuchConcern`, or `ValidationFailed` if there is no addition of that number.
    """
    concern = get_concern(session, reference)
    detail = f"with additions 1 to {up_to_addition}" if up_to_addition else ""
    record_change(session, concern, DeskAct.ACKNOWLEDGED, actor, detail)
    if concern.state == ConcernState.RECEIVED:
        concern.state, concern.acknowledged_at = ConcernState.ACKNOWLEDGED.value, actor.at
        _announce(session, EventKind.CONCERN_ACKNOWLEDGED, concern, at=actor.at)
    acknowledge_up_to(session, concern, up_to_addition, at=actor.at)
    return concern


@write_operation
def close(session: Session, reference: str, *, outcome: str, shared: bool, actor: Actor) -> ConcernRow:
    """Close the concern with its outcome. Raises `NoSuchConcern`, `NotAcknowledged`, or `OutcomeGiven` for another."""
    detail = closing_detail(outcome, shared=shared)
    concern = get_concern(session, reference)
    was_closed = concern.state == ConcernState.CLOSED
    if concern.state == ConcernState.RECEIVED:
        raise NotAcknowledged
    if was_closed and concern.outcome != outcome:
        raise OutcomeGiven
    record_change(session, concern, DeskAct.CLOSED, actor, detail)
    concern.state, concern.closed_at = ConcernState.CLOSED.value, concern.closed_at or actor.at
    concern.outcome, concern.outcome_shared = outcome, shared
    if not was_closed:
        _announce(session, EventKind.CONCERN_CLOSED, concern, at=actor.at)
    return concern


@write_operation
def hold(session: Session, reference: str, *, held: bool, reason: str, actor: Actor) -> ConcernRow:
    """Put the concern on hold, so that it is not erased, or release it. Raises `NoSuchConcern`."""
    act = DeskAct.HELD if held else DeskAct.RELEASED
    concern = get_concern(session, reference)
    record_change(session, concern, act, actor, reason)
    concern.held = held
    return concern


@write_operation
def erase(session: Session, reference: str, *, reason: str, actor: Actor) -> ConcernRow:
    """Erase the concern's text, and what was added to it, for good.

    Raises `NoSuchConcern`, `NotAcknowledged` (if anything that was added waits too), `OnHold` or `ConcernErased`.
    """
    concern = get_concern(session, reference)
    if concern.state == ConcernState.RECEIVED or concern.additions_waiting:
        raise NotAcknowledged
    if concern.held:
        raise OnHold
    if concern.erased_at is not None:
        raise ConcernErased
    record_change(session, concern, DeskAct.ERASED, actor, reason)
    session.exec(update(EntryRow).where(col(EntryRow.reference) == reference).values(sealed=None))
    concern.sealed, concern.erased_at = None, actor.at
    return concern


def _announce(session: Session, kind: EventKind, concern: ConcernRow, *, at: dt.datetime) -> None:
    """Append the event, unless the concern is a test."""
    if not concern.test:
        append_event(session, kind, at=at, data=concern_payload(concern))


# Assigning concerns to people: each change is on the record, and its answer has what it replaced.


UNASSIGNING_BATCH_SIZE = 100
LEFT = "the person left the desk"


@dataclass(frozen=True)
class Assigned:
    """The person that a concern is assigned to, and the act that did it. `version` grows with every change."""

    person: str | None = None
    at: dt.datetime | None = None
    by: str | None = None
    version: int = 0

    @classmethod
    def by_act(cls, act: DisclosureRow | None) -> Self:
        """Return the assignment that the act made; without an act, that nobody ever assigned the concern."""
        return (
            cls()
            if act is None
            else cls(act.detail if act.act == DeskAct.ASSIGNED else None, act.at, act.client, act.number)
        )

    def __str__(self) -> str:
        """Return it in a sentence."""
        if self.at is None:
            return "Nobody ever assigned it."
        return f"It is assigned to {self.person or 'nobody'} since {format_utc(self.at)}, by {self.by}."


@dataclass(frozen=True)
class Change:
    """The assignment before and after a request. They are the same if it was refused."""

    before: Assigned
    after: Assigned
    is_refused: bool = False


ExpectedVersion = Callable[[int], bool]

"""Says whether the version is the one that the caller expects."""


def any_version(_version: int) -> bool:
    """Return True: nothing is expected."""
    return True


@write_operation
def read_assignment(session: Session, reference: str, *, actor: Actor) -> Assigned:
    """Return who has the concern. Raises `NoSuchConcern`."""
    concern = get_concern(session, reference)
    record_disclosure(session, concern.reference, DeskAct.LISTED, actor, "assignment")
    return Assigned.by_act(_find_last(session, reference))


def assign(
    writer: Writer, reference: str, person: str | None, *, actor: Actor, precondition: ExpectedVersion
) -> Change:
    """Assign the concern to the person, or to nobody, and return the assignment before and after.

    Every request is on the record. Raises `NoSuchConcern`, or `AssignmentChanged` if the precondition does not hold.
    """
    change = _assign(writer, reference, person, actor=actor, precondition=precondition)
    if change.is_refused:
        raise AssignmentChanged(f"{change.before} Nothing was changed. The attempt is on record.")
    return change


@write_operation
def _assign(
    session: Session,
    reference: str,
    person: str | None,
    *,
    actor: Actor,
    precondition: ExpectedVersion,
) -> Change:
    concern = get_concern(session, reference)
    before = Assigned.by_act(_find_last(session, reference))
    if not precondition(before.version):
        detail = f"to {person or 'nobody'}"
        record_disclosure(session, reference, DeskAct.ASSIGNMENT_REFUSED, actor, detail)
        return Change(before, before, is_refused=True)
    act = DeskAct.UNASSIGNED if person is None else DeskAct.ASSIGNED
    record_change(session, concern, act, actor, person or "")
    concern.assigned_to = person or ""
    return Change(before, Assigned.by_act(_find_last(session, reference)))


def unassign_all(writer: Writer, person: str, *, actor: Actor) -> tuple[str, ...]:
    """Assign to nobody all that is assigned to the person, who leaves, and return the references.

    Other work goes on between two batches. What is assigned to the person meanwhile is taken too.
    """
    taken: list[str] = []
    while batch := _unassign_some(writer, person, actor=actor):
        taken += batch
    return tuple(taken)


@write_operation
def _unassign_some(session: Session, person: str, *, actor: Actor) -> list[str]:
    assigned = select(ConcernRow.reference).where(ConcernRow.assigned_to == person)
    references = session.exec(assigned.limit(UNASSIGNING_BATCH_SIZE)).all()
    for reference in references:
        concern = get_concern(session, reference)
        record_change(session, concern, DeskAct.UNASSIGNED, actor, LEFT)
        concern.assigned_to = ""
        session.flush()
    return list(references)


def _find_last(session: Session, reference: str) -> DisclosureRow | None:
    """Return the last act that assigned the concern to somebody or to nobody, or None."""
    acts = select(DisclosureRow).where(DisclosureRow.chain == reference, col(DisclosureRow.act).in_(ASSIGNING_ACTS))
    return session.exec(acts.order_by(col(DisclosureRow.number).desc()).limit(1)).first()


# Acts that were not done, since their actor had not seen what came before.


@write_operation
def record_withheld(session: Session, reference: str, wanted: str, *, actor: Actor) -> int:
    """Record that what the actor wanted was not done, and return the number of that act. Raises `NoSuchConcern`."""
    concern = get_concern(session, reference)
    acting, chain = replace(actor, seen=None), concern.reference
    return record_disclosure(session, chain, DeskAct.WITHHELD, acting, wanted).number


# How long concerns waited until they were acknowledged.


NEWEST = 1000


def times_to_acknowledge(session: Session, *, since: dt.datetime) -> list[float]:
    """Return the seconds of each concern that was received since then and is acknowledged, the shortest first.

    Tests are left out. Of many concerns only the newest count.
    """
    acknowledged = (
        select(ConcernRow.received_at, ConcernRow.acknowledged_at)
        .where(
            ConcernRow.received_at >= since,
            col(ConcernRow.acknowledged_at).is_not(None),
            col(ConcernRow.test).is_(False),
        )
        .order_by(col(ConcernRow.received_at).desc())
        .limit(NEWEST)
    )
    return sorted((end - start).total_seconds() for start, end in session.exec(acknowledged) if end is not None)


# Looking at a concern: opened with its words, or viewed without them.


WITHOUT_WORDS = "without words"
NO_NOTES = EntryPage(EntryKind.NOTE)


@dataclass(frozen=True)
class Wanted:
    """How a concern is opened, and what is shown of it: at most `limit` additions (None: all), and its last notes.

    With the fingerprints of the keys that are here, the record says so where a text is sealed to none of them: all are
    then given sealed.
    """

    how: str
    limit: int | None
    last_notes: int = 0
    fingerprints: frozenset[str] | None = None


@dataclass(frozen=True)
class Opening:
    """A concern whose opening is on the record, without its text; the first page of additions, and how many exist.

    `seen` is the number of that act in the chain. `notes` has the last notes, if they are shown too. `opens` says
    whether all the texts are opened here.
    """

    concern: ConcernRow
    page: EntryPage
    additions: int
    seen: int
    notes: EntryPage
    opens: bool = False


@write_operation
def open_concern(session: Session, reference: str, wanted: Wanted, *, actor: Actor) -> Opening:
    """Record that the concern is opened, and return what is wanted of it. Raises `NoSuchConcern` or `ConcernErased`."""
    concern = get_unerased(session, reference)
    count, _ = measure_entries(session, EntryKind.ADDITION, reference)
    page = page_of(session, PagePlace(EntryKind.ADDITION, reference, 0, wanted.limit))
    limit = wanted.last_notes
    notes = last_page_of(session, EntryKind.NOTE, reference, limit=limit) if limit else NO_NOTES
    opens = opens_all((concern, *page.rows, *notes.rows), wanted.fingerprints)
    how = wanted.how if opens or wanted.fingerprints is None else GIVEN
    detail = ", ".join((how, *(str(each) for each in (page, notes) if each.rows)))
    row = record_disclosure(session, reference, DeskAct.OPENED, actor, detail)
    return Opening(concern, page, count, row.number, notes, opens)


@write_operation
def view_concern(session: Session, reference: str, *, actor: Actor, limit: int, last_notes: int) -> Opening:
    """Record that the concern is looked at without its words, and return it. Raises `NoSuchConcern`."""
    concern = get_concern(session, reference)
    count, _ = measure_entries(session, EntryKind.ADDITION, reference)
    found = list_entries(session, EntryKind.ADDITION, reference, limit=limit + 1)
    rows = tuple(found[:limit])
    notes = last_page_of(session, EntryKind.NOTE, reference, limit=last_notes)
    row = record_disclosure(session, reference, DeskAct.LISTED, actor, WITHOUT_WORDS)
    page = EntryPage(EntryKind.ADDITION, rows, rows[-1].number if len(found) > limit else None)
    return Opening(concern, page, count, row.number, notes)


def read_sealed_concern(engine: Engine, reference: str) -> bytes:
    """Return the sealed text of a concern whose opening is recorded. Raises `ConcernErased` if it went since."""
    with Session(engine) as session:
        sealed = session.exec(select(ConcernRow.sealed).where(ConcernRow.reference == reference)).first()
    if sealed is None:
        raise ConcernErased
    return sealed


def opened_concern(
    opening: Opening, sealed: bytes, additions: SealedEntries, unsealer: Unsealer, *, now: dt.datetime
) -> OpenedConcern:
    """Return the concern with its words, the first page of additions, and the link to the second if there is one.

    Raise `UnsealingUnavailable` if this process has no identity for them, and `SealedTextMisplaced` if a text is that
    of another concern.
    """
    concern = opening.concern
    fields = concern_fields(dict(concern), now)
    if opening.page.next_after is not None:
        cursor = encode_key(opening.page.next_after)
        fields["links"] |= {"next": desk_additions_path(concern.reference, cursor=cursor)}
    submission = unsealer.open_member(
        "submission", sealed, reference=concern.reference, received_at=concern.received_at
    )
    words = {"submission": submission, "additions": opened_additions(additions, unsealer, now=now)}
    return OpenedConcern.model_validate(fields | words)
