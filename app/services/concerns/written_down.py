"""Concerns and additions that a worker writes down: calls, letters, emails and visits.

The time for an acknowledgement starts when the concern or addition came, not when it is stored.
"""

import base64
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from app.age.keys import Sealer
from app.errors import (
    AlreadyStored,
    ConcernErased,
    FaultCode,
    FieldError,
    IdempotencyKeyReused,
    InvalidConcern,
    ReferenceTaken,
    SealedTextMisplaced,
    UnsealingUnavailable,
)
from app.models.audit.entry_kinds import EntryKind
from app.models.base import canonical_submission
from app.models.concerns.additions import Addition
from app.models.concerns.channels import Channel, faults_of_time
from app.models.concerns.concern import Concern, ConcernDetail, ImmediateDanger, Reporter, ReporterKind
from app.models.concerns.written_down import WrittenAddition, WrittenConcern, WrittenDown
from app.models.guides.edition_keys import EditionKey
from app.services.audit.audit_log import Actor
from app.services.concerns.arrivals import Arrival
from app.services.concerns.entries import NewEntry
from app.services.concerns.follow_up import FollowUps, store_addition
from app.services.concerns.idempotency import IdempotentResult, Retryable, derive_idempotency_keys
from app.services.concerns.receipts import PinnedEdition
from app.services.concerns.rows import get_unerased
from app.services.concerns.sealing import Unsealer, faults_in_keys
from app.services.concerns.submission import Submissions, Submitted

NOT_THIS_TEXT = "this is not such a text, encrypted to those keys, or it says something else than the request"
NO_TESTS = "a worker writes down no tests: send a test to /v1/concerns, with a test key"
USED = "this reference is in use: choose another"
REFERRAL_SOURCE = "referral_source"
NO_WORDS = "-"
"""The account in a `Concern` whose real one was encrypted before."""


def write_down_concern(
    submissions: Submissions, unsealer: Unsealer, written: WrittenConcern, actor: Actor, key: str | None = None
) -> IdempotentResult:
    """Store a concern that a worker writes down, and return its receipt (JSON) once it is on disk.

    A retry returns the receipt of the first request. A text that is already encrypted is stored as received, and is
    checked if `unsealer` can decrypt it. Raise `InvalidConcern` (also if the reference is in use),
    `IdempotencyKeyReused`, `StoreBusy` or `ReferenceTaken`.
    """
    payload = canonical_submission(written)
    keys = derive_idempotency_keys(key, client=f"{actor.client}, written down")
    concern = written.submission or _without_words(written)
    arrival = Arrival(actor, Channel(written.channel), written.came_at, written.wants_code)
    try:
        submitted = Submitted(
            concern,
            concern.model_dump_json(exclude_unset=True).encode(),
            arrival,
            keys,
            sealed=None if written.sealed is None else written,
            payload=payload,
        )
        pinned = _check_concern(submissions, unsealer, written, concern, actor)
        return submissions.store(submitted, pinned)
    except (AlreadyStored, ReferenceTaken, InvalidConcern) as refusal:
        try:
            return submissions.replay(payload, keys, concern.immediate_danger, at=actor.at)
        except IdempotencyKeyReused:
            if isinstance(refusal, AlreadyStored):
                raise
        if isinstance(refusal, ReferenceTaken) and written.sealed is not None:
            raise InvalidConcern([FieldError(("reference",), USED, FaultCode.INVALID)]) from None
        raise


def write_down_addition(
    follow_ups: FollowUps,
    unsealer: Unsealer,
    reference: str,
    written: WrittenAddition,
    actor: Actor,
    key: str | None = None,
) -> IdempotentResult:
    """Store an addition as `write_down_concern` does, and return its entry (JSON) without the text.

    It never lowers the urgency. Raise `NoSuchConcern`, `ConcernErased`, `InvalidConcern`, `TooManyAdditions`,
    `IdempotencyKeyReused` or `StoreBusy`.
    """
    keys = derive_idempotency_keys(key, client=f"{actor.client}, addition to {reference} written down")
    request = Retryable(canonical_submission(written), keys)
    try:
        _check_addition(follow_ups, unsealer, reference, written, actor)
        entry = _new_addition(follow_ups, reference, written, actor)
        write = partial(store_addition, reference=reference, entry=entry, request=request)
        return request.store_once(follow_ups.writer, reference, write)
    except (InvalidConcern, ConcernErased):
        with suppress(IdempotencyKeyReused):  # an earlier request may have stored the addition
            return request.replay(follow_ups.writer.engine)
        raise


def _check_addition(
    follow_ups: FollowUps, unsealer: Unsealer, reference: str, written: WrittenAddition, actor: Actor
) -> None:
    with Session(follow_ups.writer.engine) as session:
        concern = get_unerased(session, reference)
    faults = faults_of_time(written.came_at, now=actor.at)
    if written.addition is None:
        faults += _faults_in_file(written, reference, Addition, follow_ups.sealer, unsealer)
    else:
        pinned = follow_ups.resolver.pin(EditionKey(concern.guide, concern.edition))
        faults += _below("addition", follow_ups.faults_in(written.addition, pinned))
    if faults:
        raise InvalidConcern(faults)


def _new_addition(follow_ups: FollowUps, reference: str, written: WrittenAddition, actor: Actor) -> NewEntry:
    if written.addition is not None:
        arrival = Arrival(actor, Channel(written.channel), written.came_at)
        return follow_ups.encrypt(written.addition, reference, arrival)
    return NewEntry(
        EntryKind.ADDITION,
        actor,
        _decode(written.sealed),
        follow_ups.sealer.fingerprints,
        follow_ups.receipts.acknowledge_by(written.immediate_danger, at=written.came_at),
        written.immediate_danger,
        written.channel.value,
        written.came_at,
        None if written.card is None else _decode(written.card),
        written.restricted,
        follow_ups.receipts.officer_by(is_allegation=written.restricted, at=actor.at),
    )


def _without_words(written: WrittenConcern) -> Concern:
    return Concern.model_construct(
        {"guide", "edition", "immediate_danger", "reporter", "children", "concern"},
        guide=written.guide,
        edition=written.edition,
        immediate_danger=written.immediate_danger or ImmediateDanger.NOT_SURE,
        reporter=Reporter(kind=ReporterKind.ANONYMOUS, source_code=written.referral_source),
        children=(),
        concern=ConcernDetail(narrative=NO_WORDS),
    )


def _check_concern(
    submissions: Submissions, unsealer: Unsealer, written: WrittenConcern, concern: Concern, actor: Actor
) -> PinnedEdition:
    faults = faults_of_time(written.came_at, now=actor.at)
    if concern.test:
        faults.append(FieldError(("submission", "test"), NO_TESTS))
    if written.sealed is not None:
        faults += _faults_in_file(written, written.reference or "", Concern, submissions.sealer, unsealer)
    try:
        pinned = submissions.resolver.resolve(concern)
    except InvalidConcern as refusal:
        raise InvalidConcern([*faults, *_in_request(written, refusal.faults)]) from None
    if faults:
        raise InvalidConcern(faults)
    return pinned


def _in_request(written: WrittenConcern, faults: Sequence[FieldError]) -> list[FieldError]:
    if written.submission is not None:
        return _below("submission", faults)
    return [replace(each, at=(REFERRAL_SOURCE,)) if each.at[0] == "reporter" else each for each in faults]


def _below(name: str, faults: Sequence[FieldError]) -> list[FieldError]:
    return [replace(each, at=(name, *each.at)) for each in faults]


def _faults_in_file(
    written: WrittenDown, reference: str, model: type[Concern | Addition], sealer: Sealer, unsealer: Unsealer
) -> list[FieldError]:
    """Check the text if `unsealer` decrypts it: the desk could not open an invalid one."""
    files = {"sealed": written.sealed, "card": written.card}
    given = {name: _decode(file) for name, file in files.items() if file is not None}
    faults = faults_in_keys(written.recipients, given, sealer, NOT_THIS_TEXT)
    if not faults and unsealer.has_one_of(sealer.fingerprints):
        return _faults_in_text(written, reference, model, unsealer)
    return faults


def _faults_in_text(
    written: WrittenDown, reference: str, model: type[Concern | Addition], unsealer: Unsealer
) -> list[FieldError]:
    member = "submission" if model is Concern else EntryKind.ADDITION.value
    try:
        document: dict[str, Any] = unsealer.open(_decode(written.sealed), reference=reference)
        text = model.model_validate(document[member], strict=False)
    except (SealedTextMisplaced, UnsealingUnavailable, KeyError, ValidationError):
        return [FieldError(("sealed",), NOT_THIS_TEXT)]
    if text.immediate_danger != written.immediate_danger:
        return [FieldError(("immediate_danger",), NOT_THIS_TEXT)]
    if text.concern.is_about_staff != written.restricted:
        return [FieldError(("restricted",), NOT_THIS_TEXT)]
    return []


def _decode(file: str | None) -> bytes:
    return base64.b64decode(file or "")
