"""What the duty team does about a concern. Each act records a disclosure in its own transaction."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from sqlalchemy import update
from sqlmodel import Session, col, select

from app.db.writer import Writer
from app.errors import (
    AlreadyStored,
    AssignmentChanged,
    ConcernErased,
    FieldError,
    NotAcknowledged,
    OnHold,
    OutcomeGiven,
    ValidationFailed,
)
from app.models.acts import Acknowledgement, BurstAcknowledgement, ErasedConcern, Erasure, Hold, OpenedConcern, Outcome
from app.models.base import canonical_submission, format_utc
from app.models.concerns import ConcernRow
from app.models.entries import EntryKind, EntryRow
from app.models.events import EventKind
from app.models.inbox import InboxEntry
from app.models.links import desk_concern_path
from app.models.receipts import ConcernState, find_reference
from app.models.record import DeskAct, DisclosureRow
from app.models.record_details import (
    ASSIGNING_ACTS,
    AcknowledgedDetails,
    AssignmentRefusedDetails,
    ClosedDetails,
    PersonDetails,
    ReasonDetails,
    ShownDetails,
    WithheldDetails,
    details_of,
)
from app.services.concerns import find_concern, get_concern
from app.services.cursors import encode_key
from app.services.entries import (
    GIVEN,
    Desk,
    EntryPage,
    NewEntry,
    acknowledge_up_to,
    first_page_of,
    last_page_of,
    last_waiting_addition,
    new_message,
    open_entries,
    opens_all,
    read_sealed,
    store_entry,
)
from app.services.events import announce
from app.services.inbox import concern_fields, entry_of
from app.services.receipts import Retryable, derive_idempotency_keys
from app.services.record import Actor, purge_remnants, record_change, record_disclosure


def acknowledge(session: Session, reference: str, wanted: Acknowledgement, actor: Actor) -> ConcernRow:
    """Record that a social worker has seen the concern, and what was added to it, up to the addition of that number.

    Later additions go on waiting: an acknowledgement covers only what it names. Again, it only adds a disclosure.
    Raises `NoSuchConcern`, or `ValidationFailed` if there is no addition of that number.
    """
    concern = get_concern(session, reference)
    _acknowledge(session, concern, AcknowledgedDetails(up_to_addition=wanted.up_to_addition), actor)
    return concern


def _acknowledge(session: Session, concern: ConcernRow, details: AcknowledgedDetails, actor: Actor) -> None:
    record_change(session, concern, DeskAct.ACKNOWLEDGED, actor, details)
    if concern.state == ConcernState.RECEIVED:
        concern.state, concern.acknowledged_at = ConcernState.ACKNOWLEDGED.value, actor.at
        announce(session, EventKind.CONCERN_ACKNOWLEDGED, concern, at=actor.at)
    acknowledge_up_to(session, concern, details.up_to_addition, at=actor.at)


NOT_OF_THE_BURST = "This burst has no concern with that reference."


def acknowledge_together(
    session: Session, burst: str, wanted: BurstAcknowledgement, actor: Actor
) -> Sequence[ConcernRow]:
    """Record for each of the concerns, which came in that burst, that a social worker has seen it, and return them.

    What waits for nothing gets no act. Raises `ValidationFailed` for a reference of another concern, and then does
    nothing.
    """
    found = [find_concern(session, find_reference(typed) or "") for typed in wanted.references]
    concerns = [concern for concern in found if concern is not None and concern.burst == burst]
    if len(concerns) < len(found):
        strangers = (place for place, each in enumerate(found) if each is None or each.burst != burst)
        raise ValidationFailed([FieldError(("references", place), NOT_OF_THE_BURST) for place in strangers])
    until = wanted.additions_until
    seen = {
        each.reference: last_waiting_addition(session, each.reference, until=until)
        if until is not None and each.additions_waiting
        else 0
        for each in concerns
    }
    waiting = {
        concern.reference: concern
        for concern in concerns
        if concern.state == ConcernState.RECEIVED or seen[concern.reference]
    }
    for reference, concern in waiting.items():
        details = AcknowledgedDetails(up_to_addition=seen[reference], together=len(waiting), burst=burst)
        _acknowledge(session, concern, details, actor)
    return concerns


def close(
    desk: Desk,
    reference: str,
    wanted: Outcome,
    actor: Actor,
    key: str | None = None,
    *,
    unless_waiting: bool = False,
) -> InboxEntry:
    """Close the concern with its outcome and, if there is one, a message to the reporter, in one transaction.

    A retry with the same idempotency key sends no second message. Raises `ValidationFailed` for an unknown outcome,
    `NoSuchConcern`, `NotAcknowledged`, or `OutcomeGiven` for another. `NotAcknowledged` too where something added
    waits, `unless_waiting`; with a message, as `send_message` does.
    """
    if faults := desk.reference_data.faults_in_codes(wanted):
        raise ValidationFailed(faults)
    keys = derive_idempotency_keys(key, client=f"{actor.client}, closing of {reference}")
    request = Retryable(canonical_submission(wanted), keys)
    entry = None if wanted.message is None else new_message(desk, reference, wanted.message, actor)
    message = None if entry is None else (entry, request)
    try:
        concern = desk.writer.run(_close, reference, wanted, actor, message, unless_waiting=unless_waiting)
    except AlreadyStored:
        request.replay(desk.engine)  # raises if it was another outcome, or another message
        with Session(desk.engine) as session:
            concern = get_concern(session, reference)
    return entry_of(concern, now=actor.at)


def _close(
    session: Session,
    reference: str,
    wanted: Outcome,
    actor: Actor,
    message: tuple[NewEntry, Retryable] | None,
    *,
    unless_waiting: bool,
) -> ConcernRow:
    outcome, shared = wanted.outcome, wanted.shared_with_reporter
    concern = get_concern(session, reference)
    was_closed = concern.state == ConcernState.CLOSED
    if concern.state == ConcernState.RECEIVED:
        raise NotAcknowledged
    if was_closed and concern.outcome != outcome:
        raise OutcomeGiven
    if message is not None:
        store_entry(session, concern, *message)
        actor = replace(actor, seen=None)  # it has seen what came before, and now its own message too
    record_change(session, concern, DeskAct.CLOSED, actor, ClosedDetails(outcome=outcome, shared=shared))
    if unless_waiting and concern.additions_waiting:  # after what the actor has not seen, which says more
        raise NotAcknowledged
    concern.state, concern.closed_at = ConcernState.CLOSED.value, concern.closed_at or actor.at
    concern.outcome, concern.outcome_shared = outcome, shared
    if not was_closed:
        announce(session, EventKind.CONCERN_CLOSED, concern, at=actor.at)
    return concern


def hold(session: Session, reference: str, wanted: Hold, actor: Actor) -> ConcernRow:
    """Put the concern on hold, so that it is not erased, or release it. Raises `NoSuchConcern`."""
    concern = get_concern(session, reference)
    act = DeskAct.HELD if wanted.held else DeskAct.RELEASED
    record_change(session, concern, act, actor, ReasonDetails(reason=wanted.reason))
    concern.held = wanted.held
    return concern


def erase(session: Session, reference: str, wanted: Erasure, actor: Actor) -> ConcernRow:
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
    record_change(session, concern, DeskAct.ERASED, actor, ReasonDetails(reason=wanted.reason))
    session.exec(update(EntryRow).where(col(EntryRow.reference) == reference).values(sealed=None))
    concern.sealed, concern.erased_at = None, actor.at
    return concern


def erase_for_good(desk: Desk, reference: str, wanted: Erasure, actor: Actor) -> ErasedConcern:
    """Erase the concern and purge its bytes from the database files. Return what remains. Raises as `erase` does."""
    fields = concern_fields(dict(desk.writer.run(erase, reference, wanted, actor)), actor.at)
    return ErasedConcern.model_validate(fields | {"remnants": purge_remnants(desk.engine)})


# Assigning concerns to people: each change is on the record, and its answer has what it replaced.


UNASSIGNING_BATCH_SIZE = 100
LEFT = "the person left the desk"


@dataclass(frozen=True)
class Assigned:
    """The person a concern is assigned to, and who assigned it. `version` grows with every change."""

    person: str | None = None
    at: dt.datetime | None = None
    by: str | None = None
    version: int = 0

    @classmethod
    def by_act(cls, act: DisclosureRow | None) -> Self:
        """Return the assignment that the act made; without an act, that nobody ever assigned the concern."""
        if act is None:
            return cls()
        person = details_of(act).person if act.act == DeskAct.ASSIGNED else None
        return cls(person, act.at, act.client, act.number)

    def __str__(self) -> str:
        """Return it in a sentence."""
        if self.at is None:
            return "It has never been assigned."
        return f"It is assigned to {self.person or 'nobody'} since {format_utc(self.at)}, by {self.by}."


def read_assignment(session: Session, reference: str, actor: Actor) -> Assigned:
    """Return who has the concern. Raises `NoSuchConcern`."""
    get_concern(session, reference)
    record_disclosure(session, reference, DeskAct.LISTED, actor, ShownDetails(what="assignment"))
    return Assigned.by_act(_find_last(session, reference))


def assign(
    writer: Writer,
    reference: str,
    person: str | None,
    actor: Actor,
    precondition: Callable[[int], bool] = lambda _version: True,
) -> tuple[Assigned, Assigned]:
    """Assign the concern to the person, or to nobody, and return the assignment before and after.

    Every request is on the record. Raises `NoSuchConcern`, or `AssignmentChanged` if the precondition does not hold for
    the version of the assignment before.
    """
    before, after = writer.run(_assign, reference, person, actor, precondition)
    if after is None:
        raise AssignmentChanged(f"{before} Your change was not made. The attempt is recorded.")
    return before, after


def _assign(
    session: Session, reference: str, person: str | None, actor: Actor, precondition: Callable[[int], bool]
) -> tuple[Assigned, Assigned | None]:
    concern = get_concern(session, reference)
    before = Assigned.by_act(_find_last(session, reference))
    if not precondition(before.version):
        record_disclosure(
            session, reference, DeskAct.ASSIGNMENT_REFUSED, actor, AssignmentRefusedDetails(person=person)
        )
        return before, None
    act = DeskAct.UNASSIGNED if person is None else DeskAct.ASSIGNED
    details = None if person is None else PersonDetails(person=person)
    version = record_change(session, concern, act, actor, details).number
    concern.assigned_to = person or ""
    return before, Assigned(person, actor.at, actor.client, version)


def unassign_all(writer: Writer, person: str, *, actor: Actor) -> tuple[str, ...]:
    """Assign to nobody all that is assigned to the person, who leaves, and return the references.

    Other work goes on between two batches. What is assigned to the person meanwhile is taken too.
    """
    taken: list[str] = []
    while batch := writer.run(_unassign_some, person, actor=actor):
        taken += batch
    return tuple(taken)


def _unassign_some(session: Session, person: str, *, actor: Actor) -> list[str]:
    assigned = select(ConcernRow.reference).where(ConcernRow.assigned_to == person)
    references = session.exec(assigned.limit(UNASSIGNING_BATCH_SIZE)).all()
    for reference in references:
        concern = get_concern(session, reference)
        record_change(session, concern, DeskAct.UNASSIGNED, actor, ReasonDetails(reason=LEFT))
        concern.assigned_to = ""
        session.flush()
    return list(references)


def _find_last(session: Session, reference: str) -> DisclosureRow | None:
    """Return the last act that assigned the concern to somebody or to nobody, or None."""
    acts = select(DisclosureRow).where(DisclosureRow.chain == reference, col(DisclosureRow.act).in_(ASSIGNING_ACTS))
    return session.exec(acts.order_by(col(DisclosureRow.number).desc()).limit(1)).first()


# Acts that were not done, since their actor had not seen what came before.


def record_withheld(session: Session, reference: str, wanted: str, actor: Actor) -> int:
    """Record that what the actor wanted was not done, and return the number of that act. Raises `NoSuchConcern`."""
    concern = get_concern(session, reference)
    acting, chain = replace(actor, seen=None), concern.reference
    return record_disclosure(session, chain, DeskAct.WITHHELD, acting, WithheldDetails(wanted=wanted)).number


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
    then given sealed. `erased_too`: a concern that was erased is viewed without its words.
    """

    how: str
    limit: int | None
    last_notes: int = 0
    fingerprints: frozenset[str] | None = None
    erased_too: bool = False


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


def open_concern(session: Session, reference: str, wanted: Wanted, actor: Actor) -> Opening:
    """Record that the concern is opened, and return what is wanted of it. Raises `NoSuchConcern` or `ConcernErased`."""
    concern = get_concern(session, reference)
    if concern.erased_at is not None and not wanted.erased_too:
        raise ConcernErased
    page, count = first_page_of(session, EntryKind.ADDITION, reference, limit=wanted.limit)
    notes = last_page_of(session, EntryKind.NOTE, reference, limit=wanted.last_notes) if wanted.last_notes else NO_NOTES
    if concern.erased_at is not None:
        seen = record_disclosure(session, reference, DeskAct.LISTED, actor, ShownDetails(what=WITHOUT_WORDS)).number
        return Opening(concern, page, count, seen, notes)
    opens = opens_all((concern, *page.rows, *notes.rows), wanted.fingerprints)
    how = wanted.how if opens or wanted.fingerprints is None else GIVEN
    shown = ShownDetails(what=how, pages=tuple(each.shown for each in (page, notes) if each.rows))
    seen = record_disclosure(session, reference, DeskAct.OPENED, actor, shown).number
    return Opening(concern, page, count, seen, notes, opens)


def opened_concern(desk: Desk, opening: Opening, *, now: dt.datetime) -> OpenedConcern:
    """Return the concern with its words, the first page of additions, and the link to the second if there is one.

    Raise `UnsealingUnavailable` if this process has no identity for them, `SealedTextMisplaced` if a text is that of
    another concern, and `ConcernErased` if it went since the record.
    """
    concern = opening.concern
    fields = concern_fields(dict(concern), now)
    if opening.page.next_after is not None:
        cursor = encode_key(opening.page.next_after)
        fields["links"] |= {"next": desk_concern_path(concern.reference, "additions") + f"?cursor={cursor}"}
    submission = desk.unsealer.open_member(
        "submission",
        read_sealed(desk.engine, concern.reference),
        reference=concern.reference,
        received_at=concern.received_at,
    )
    additions = open_entries(desk.engine, opening.page, desk.unsealer, now=now)
    return OpenedConcern.model_validate(fields | {"submission": submission, "additions": additions})
