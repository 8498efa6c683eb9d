"""Actions of the duty team on a concern, each with its audit log entry in the same transaction. Tests have no events.

Closing, reopening, holding and erasing raise `ChangedMeanwhile` if others changed the concern after `actor.seen`, sent
something, or added an addition or a note. An acknowledgement never does.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from app.errors import (
    AlreadyStored,
    ConcernErased,
    FieldError,
    NotAcknowledged,
    NotClosed,
    OnHold,
    OutcomeGiven,
    SecondEraserNeeded,
    ValidationFailed,
)
from app.models.audit.details import (
    TO_SEE_FIRST,
    AcknowledgedDetails,
    ClosedDetails,
    HeldDetails,
    ReasonDetails,
    WithheldDetails,
)
from app.models.audit.rows import AuditEntryRow, DeskAct
from app.models.base import canonical_submission
from app.models.concerns.card_rows import CardRow
from app.models.concerns.entries import EntryRow
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import ConcernRow
from app.models.desk.actions import (
    Acknowledgement,
    BurstAcknowledgement,
    ErasedConcern,
    Erasure,
    Hold,
    Outcome,
    Reopening,
)
from app.models.desk.inbox import InboxEntry
from app.models.desk.look_again import LookAgainRow
from app.models.events.rows import EventKind
from app.models.references import find_reference
from app.services.access.restrictions import find_hidden
from app.services.audit.audit_log import Actor, is_same_hand, names_a_person, record_action, record_change
from app.services.audit.remnants import purge_remnants
from app.services.concerns.desk_entries import new_message
from app.services.concerns.entries import Desk, NewEntry, store_entry
from app.services.concerns.idempotency import Retryable, derive_idempotency_keys
from app.services.concerns.rows import find_concern, get_concern, get_unerased
from app.services.concerns.waiting_additions import acknowledge_up_to, last_waiting_addition
from app.services.desk.presented_concerns import concern_fields, entry_of
from app.services.events.outbox import announce

NOT_OF_THE_BURST = "This burst has no concern with that reference."
NEWEST = 1000


def acknowledge(session: Session, reference: str, acknowledgement: Acknowledgement, actor: Actor) -> ConcernRow:
    """Record that a social worker has read the concern, and additions up to `up_to_addition`. Later ones wait.

    Each that was unacknowledged gets an event. Raise `NoSuchConcern`, or `ValidationFailed` if there is no such
    addition.
    """
    concern = get_concern(session, reference)
    _acknowledge(session, concern, AcknowledgedDetails(up_to_addition=acknowledgement.up_to_addition), actor)
    return concern


def _acknowledge(session: Session, concern: ConcernRow, details: AcknowledgedDetails, actor: Actor) -> None:
    record_change(session, concern, DeskAct.ACKNOWLEDGED, actor, details)
    if concern.state == ConcernState.RECEIVED:
        concern.state, concern.acknowledged_at = ConcernState.ACKNOWLEDGED.value, actor.at
        announce(session, EventKind.CONCERN_ACKNOWLEDGED, concern, at=actor.at)
    acknowledge_up_to(session, concern, details.up_to_addition, at=actor.at)


def acknowledge_together(
    session: Session, burst: str, acknowledgement: BurstAcknowledgement, actor: Actor
) -> Sequence[ConcernRow]:
    """Acknowledge concerns of one `burst`, and additions up to `additions_until`.

    A concern that is already acknowledged gets no entry. Raise `ValidationFailed`, and record nothing, if a concern is
    unknown, of another burst, or may not be opened.
    """
    references = [find_reference(typed) or "" for typed in acknowledgement.references]
    hidden = find_hidden(session, references, actor)
    found = [None if reference in hidden else find_concern(session, reference) for reference in references]
    concerns = [concern for concern in found if concern is not None and concern.burst == burst]
    if len(concerns) < len(found):
        strangers = (place for place, each in enumerate(found) if each is None or each.burst != burst)
        raise ValidationFailed([FieldError(("references", place), NOT_OF_THE_BURST) for place in strangers])
    until = acknowledgement.additions_until
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
    outcome: Outcome,
    actor: Actor,
    key: str | None = None,
    *,
    unless_waiting: bool = False,
) -> InboxEntry:
    """Close the concern and send its message, if any, in one transaction. A retry sends no second message.

    If the concern is closed with the same outcome, only its sharing changes. Raise `ValidationFailed` (code list),
    `NoSuchConcern`, `NotAcknowledged` (with `unless_waiting` also for an addition), `OutcomeGiven`, `StoreBusy`, or as
    `send_message`.
    """
    if faults := desk.reference_data.faults_in_codes(outcome):
        raise ValidationFailed(faults)
    keys = derive_idempotency_keys(key, client=f"{actor.client}, closing of {reference}")
    request = Retryable(canonical_submission(outcome), keys)
    entry = None if outcome.message is None else new_message(desk, reference, outcome.message, actor)
    message = None if entry is None else (entry, request)
    try:
        concern = desk.writer.run(_close, reference, outcome, actor, message, unless_waiting=unless_waiting)
    except AlreadyStored:
        request.replay(desk.engine)  # raises an error if the outcome or the message differs
        with Session(desk.engine) as session:
            concern = get_concern(session, reference)
    return entry_of(concern, now=actor.at)


def _close(
    session: Session,
    reference: str,
    closing: Outcome,
    actor: Actor,
    message: tuple[NewEntry, Retryable] | None,
    *,
    unless_waiting: bool,
) -> ConcernRow:
    outcome, shared = closing.outcome, closing.shared_with_reporter
    concern = get_concern(session, reference)
    was_closed = concern.state == ConcernState.CLOSED
    if concern.state == ConcernState.RECEIVED:
        raise NotAcknowledged
    if was_closed and concern.outcome != outcome:
        raise OutcomeGiven
    if message is not None:
        store_entry(session, concern, *message)
        actor = replace(actor, seen=None)  # checked with the message, which would now count as an unseen change
    record_change(session, concern, DeskAct.CLOSED, actor, ClosedDetails(outcome=outcome, shared=shared))
    if unless_waiting and concern.additions_waiting:  # after the check of `seen`, whose error says more
        raise NotAcknowledged
    concern.state, concern.closed_at = ConcernState.CLOSED.value, concern.closed_at or actor.at
    concern.outcome, concern.outcome_shared = outcome, shared
    if not was_closed:
        announce(session, EventKind.CONCERN_CLOSED, concern, at=actor.at)
    return concern


def reopen(session: Session, reference: str, reopening: Reopening, actor: Actor) -> ConcernRow:
    """Take back the outcome. A concern that was reopened before, and is open, is only recorded.

    Raise `NoSuchConcern`, `ConcernErased`, or `NotClosed`.
    """
    concern = get_unerased(session, reference)
    is_closed = concern.state == ConcernState.CLOSED
    if not is_closed and concern.reopened_at is None:
        raise NotClosed
    record_change(session, concern, DeskAct.REOPENED, actor, ReasonDetails(reason=reopening.reason))
    if is_closed:
        concern.state, concern.reopened_at = ConcernState.ACKNOWLEDGED.value, actor.at
        concern.closed_at, concern.outcome, concern.outcome_shared = None, None, False
        announce(session, EventKind.CONCERN_REOPENED, concern, at=actor.at)
    return concern


def hold(session: Session, reference: str, hold: Hold, actor: Actor) -> ConcernRow:
    """Prevent erasure, or allow it again. `until` is recorded, but does not end the hold. Raise `NoSuchConcern`."""
    concern = get_concern(session, reference)
    if hold.held:
        record_change(session, concern, DeskAct.HELD, actor, HeldDetails(reason=hold.reason, until=hold.until))
    else:
        record_change(session, concern, DeskAct.RELEASED, actor, ReasonDetails(reason=hold.reason))
    concern.held = hold.held
    return concern


def erase(session: Session, reference: str, erasure: Erasure, actor: Actor) -> ConcernRow:
    """Erase all texts and cards for good. The rows stay, days to look again do not. Raise as `get_erasable`."""
    concern = get_erasable(session, reference)
    record_change(session, concern, DeskAct.ERASED, actor, ReasonDetails(reason=erasure.reason))
    session.exec(update(EntryRow).where(col(EntryRow.reference) == reference).values(sealed=None))
    session.exec(update(CardRow).where(col(CardRow.reference) == reference).values(sealed=None))
    session.exec(delete(LookAgainRow).where(col(LookAgainRow.reference) == reference))
    concern.sealed, concern.erased_at = None, actor.at
    return concern


def get_erasable(session: Session, reference: str) -> ConcernRow:
    """Return the concern to erase.

    Raise `NoSuchConcern`, `NotAcknowledged` (also for an addition), `OnHold`, or `ConcernErased`.
    """
    concern = get_concern(session, reference)
    if concern.state == ConcernState.RECEIVED or concern.additions_waiting:
        raise NotAcknowledged
    if concern.held:
        raise OnHold
    if concern.erased_at is not None:
        raise ConcernErased
    return concern


def erase_for_good(
    desk: Desk, reference: str, erasure: Erasure, actor: Actor, *, by_two: bool = False
) -> ErasedConcern:
    """Erase and purge a concern; `remnants` says whether bytes may remain. Raise as `get_erasable`, or `StoreBusy`.

    If `by_two`, the first person's request is recorded and raises `SecondEraserNeeded`; the second person's request
    erases.
    """
    erased = desk.writer.run(erase_or_request if by_two else erase, reference, erasure, actor)
    if erased is None:
        raise SecondEraserNeeded
    fields = concern_fields(dict(erased), actor.at)
    return ErasedConcern.model_validate(fields | {"remnants": purge_remnants(desk.engine)})


def erase_or_request(session: Session, reference: str, erasure: Erasure, actor: Actor) -> ConcernRow | None:
    """Return None if the erasure is only requested. A client without a named person is neither first nor second."""
    get_erasable(session, reference)
    request = find_erasure_request(session, reference)
    if is_second_person(request, actor):
        return erase(session, reference, erasure, actor)
    record_action(session, reference, DeskAct.ERASURE_REQUESTED, actor, ReasonDetails(reason=erasure.reason))
    return None


def is_second_person(request: AuditEntryRow | None, actor: Actor) -> bool:
    if request is None or not (names_a_person(request.client) and names_a_person(actor.client)):
        return False
    return not is_same_hand(request.client, actor.client)


def find_erasure_request(session: Session, reference: str) -> AuditEntryRow | None:
    """Return the request that still counts. Any later act but a label ends it."""
    acts = [each.value for each in (*TO_SEE_FIRST, DeskAct.ERASURE_REQUESTED)]
    rows = select(AuditEntryRow).where(AuditEntryRow.chain == reference, col(AuditEntryRow.act).in_(acts))
    last = session.exec(rows.order_by(col(AuditEntryRow.number).desc()).limit(1)).first()
    return last if last is not None and last.act == DeskAct.ERASURE_REQUESTED else None


def record_withheld(session: Session, reference: str, action: str, actor: Actor) -> int:
    """Record that `action` was not carried out, and return the entry's number. Raise `NoSuchConcern`."""
    concern = get_concern(session, reference)
    acting, chain = replace(actor, seen=None), concern.reference
    return record_action(session, chain, DeskAct.WITHHELD, acting, WithheldDetails(wanted=action)).number


def times_to_acknowledge(session: Session, *, since: dt.datetime) -> list[float]:
    """Return the seconds, shortest first, of the `NEWEST` concerns received `since`. Test concerns are left out."""
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
