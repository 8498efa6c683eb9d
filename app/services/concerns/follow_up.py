"""What a reporter does with reference and status token: read status and messages, and add. Tests have no events."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select, update
from sqlmodel import Session

from app.age.keys import Sealer
from app.db.tables import table_of
from app.db.writer import Writer
from app.errors import (
    ConcernErased,
    FieldError,
    IdempotencyKeyReused,
    InvalidConcern,
    NoSuchConcern,
    TooManyConcerns,
)
from app.models.audit.details import MessageReadDetails, RestrictedDetails
from app.models.audit.entry_kinds import EntryKind
from app.models.audit.rows import DeskAct
from app.models.base import canonical_submission
from app.models.concerns.additions import Addition
from app.models.concerns.channels import Channel
from app.models.concerns.concern import ImmediateDanger
from app.models.concerns.entries import EntryRow, ReceivedMessage, ReceivedMessages
from app.models.concerns.receipts import ConcernStatus
from app.models.concerns.rows import LEAST_URGENT_FIRST, ConcernRow
from app.models.concerns.status_tokens import standard_token
from app.models.events.rows import EventKind
from app.models.guides.edition_keys import EditionKey
from app.models.references import find_reference
from app.services.access.limits import LimitKeys
from app.services.access.restrictions import restrict
from app.services.access.sources import CodeTries, Sources
from app.services.audit.audit_log import REPORTER, by_reporter, record_action
from app.services.concerns.arrivals import Arrival
from app.services.concerns.card_making import card_of_addition, seal_card
from app.services.concerns.desk_entries import list_messages
from app.services.concerns.edition_resolver import EditionResolver, unknown_ids
from app.services.concerns.entries import NewEntry, append_entry, entries_of, list_entries, measure_entries
from app.services.concerns.idempotency import IdempotentResult, Retryable, derive_idempotency_keys
from app.services.concerns.presented_entries import present_entry
from app.services.concerns.receipts import PinnedEdition, ReceiptBuilder
from app.services.concerns.rows import expect_officer_told, find_concern, get_concern
from app.services.concerns.sealing import addition_plaintext, find_message, token_identity
from app.services.concerns.waiting_additions import update_waiting
from app.services.events.outbox import append_events, events_about

READ, ADD = "read", "add"
SAYS_SO = "an addition says that it is about someone who works for the council"
_TABLE = table_of(EntryRow)
_ENTRIES = _TABLE.c


@dataclass(frozen=True)
class ReporterCode:
    """A reference and a code as typed, with the networks of the request."""

    typed_reference: str
    token: str
    networks: LimitKeys


@dataclass(frozen=True)
class FollowUps:
    writer: Writer
    resolver: EditionResolver
    sealer: Sealer
    receipts: ReceiptBuilder
    sources: Sources
    code_tries: CodeTries

    def read_status(self, code: ReporterCode, *, at: dt.datetime) -> ConcernStatus:
        """Return the status of a concern. Raise the errors of `find`."""
        row = self.find(code)
        with Session(self.writer.engine) as session:
            additions = list_entries(session, EntryKind.ADDITION, row.reference)
            messages = list_messages(session, row.reference)
        return self.receipts.build_status(row, additions, messages, self._pinned(row).who, at=at)

    def add(
        self,
        row: ConcernRow,
        addition: Addition,
        *,
        idempotency_key: str | None,
        channel: Channel = Channel.API,
        at: dt.datetime,
    ) -> IdempotentResult:
        """Encrypt and store an addition to `row`, from `find` with `ADD`. Return its receipt (JSON) once it is on disk.

        It never lowers the urgency. A retry returns the first receipt. Raise `InvalidConcern` with every unknown code
        and item, `TooManyAdditions`, `IdempotencyKeyReused`, `StoreBusy`, `ConcernErased`, and `TooManyConcerns` for
        long additions to a burst's concerns.
        """
        pinned, danger = self._pinned(row), addition.immediate_danger
        keys = derive_idempotency_keys(idempotency_key, client=f"addition to {row.reference}")
        refresh = partial(self.receipts.with_current_numbers, who=pinned.who, danger=danger, at=at)
        submission = canonical_submission(addition)
        request = Retryable(submission, keys, refresh)
        if row.erased_at is not None:
            return self._replay_after_erasure(request)
        try:
            if faults := self.faults_in(addition, pinned):
                raise InvalidConcern(faults)
            self.sources.admit_addition(row.burst, len(submission), in_danger=danger == ImmediateDanger.YES)
        except (InvalidConcern, TooManyConcerns):
            with suppress(IdempotencyKeyReused):  # an earlier request may have stored the addition
                return request.replay(self.writer.engine)
            raise
        response = self.receipts.build_addition_receipt(row, danger, pinned.who, at=at)
        receipt = response.model_dump_json().encode()
        entry = self.encrypt(addition, row.reference, Arrival(by_reporter(at), channel, at))
        write = partial(store_addition, reference=row.reference, entry=entry, request=request, receipt=receipt)
        return request.store_once(self.writer, row.reference, write)

    def faults_in(self, addition: Addition, pinned: PinnedEdition) -> list[FieldError]:
        in_codes = self.receipts.reference_data.faults_in_codes(addition)
        return [*in_codes, *unknown_ids(addition.concern, pinned.content)]

    def encrypt(self, addition: Addition, reference: str, arrival: Arrival) -> NewEntry:
        at, detail = arrival.at, addition.concern
        card = card_of_addition(addition.model_dump(mode="json", exclude_unset=True))
        return NewEntry(
            EntryKind.ADDITION,
            arrival.actor,
            self.sealer.seal(addition_plaintext(addition, reference, at=at)),
            self.sealer.fingerprints,
            self.receipts.acknowledge_by(addition.immediate_danger, at=arrival.came_at),
            addition.immediate_danger,
            arrival.channel,
            arrival.came_at,
            seal_card(self.sealer, card, reference, at=at),
            detail.is_about_staff,
            self.receipts.officer_by(is_allegation=detail.is_allegation, at=at),
        )

    def open_messages(self, code: ReporterCode, *, at: dt.datetime) -> ReceivedMessages:
        """Return the messages. Record and announce which of them are read for the first time.

        A text is None if it was erased, or if this token does not decrypt it. Raise as `find`, or `StoreBusy`.
        """
        reference = self.find(code).reference
        with Session(self.writer.engine) as session:
            unread = _unread(session, reference)
        if unread:
            self.writer.run(_record_reading, reference, at=at)
        with Session(self.writer.engine) as session:
            messages = select(_TABLE).where(*entries_of(EntryKind.MESSAGE, reference)).order_by(_ENTRIES.number)
            rows = session.connection().execute(messages).all()
            added = list_entries(session, EntryKind.ADDITION, reference)
        added_at = {row.number: row.received_at for row in added}
        identity = token_identity(code.token, reference)
        opened = (
            ReceivedMessage(
                number=row.number,
                sent_at=row.received_at,
                read_at=row.read_at,
                answered_at=added_at.get(row.answered_by or 0),
                message=find_message(row.sealed, identity, reference),
            )
            for row in rows
            if row.read_at is not None  # a message sent after the recording is left for the next request
        )
        return ReceivedMessages(reference=reference, messages=tuple(opened))

    def find(self, code: ReporterCode, *, purpose: str = READ) -> ConcernRow:
        """Return the concern, and count the use of the code by purpose: reading never prevents adding.

        Raise `NoSuchConcern` if reference or token is wrong, `TooManyTries` after too many wrong ones, and
        `RateLimited` after too many right ones.
        """
        reference = find_reference(code.typed_reference)
        with self.code_tries.guard(reference, code.networks, purpose):
            with Session(self.writer.engine) as session:
                row = find_concern(session, reference or "")
            stored = row.status_token_sha256 if row else b""
            expected = stored or bytes(hashlib.sha256().digest_size)  # no token has this digest
            given = hashlib.sha256(standard_token(code.token).encode()).digest()
            if not hmac.compare_digest(given, expected) or row is None:
                raise NoSuchConcern
            return row

    def _replay_after_erasure(self, request: Retryable) -> IdempotentResult:
        try:
            return request.replay(self.writer.engine)
        except IdempotencyKeyReused:
            raise ConcernErased from None

    def _pinned(self, row: ConcernRow) -> PinnedEdition:
        return self.resolver.pin(EditionKey(row.guide, row.edition))


def store_addition(
    session: Session, reference: str, entry: NewEntry, request: Retryable, receipt: bytes | None = None
) -> bytes:
    """Store an addition, update the concern, and append events. Return `receipt`, or the entry (JSON) without text.

    An addition by the reporter answers every message that they have read. One about someone who works for the council
    restricts an unrestricted concern to leads. An allegation sets the day to tell the designated officer, unless one is
    set.
    """
    concern, at = get_concern(session, reference), entry.actor.at  # read again: the desk may have changed the row
    former = measure_entries(session, EntryKind.ADDITION, reference)
    if receipt is None:
        receipt = present_entry(entry.numbered(reference, former[0] + 1), now=at).model_dump_json().encode()
    stored = request.store(session, reference, receipt)
    danger = max(concern.immediate_danger, entry.immediate_danger or "no", key=LEAST_URGENT_FIRST.index)
    number = append_entry(session, concern, entry, former, stored, dict(concern) | {"immediate_danger": danger}).number
    concern.added_at, concern.immediate_danger = at, danger
    update_waiting(session, concern)
    read = (*entries_of(EntryKind.MESSAGE, reference), _ENTRIES.read_at.is_not(None), _ENTRIES.answered_by.is_(None))
    answered = update(_TABLE).where(*read).values(answered_by=number).returning(_ENTRIES.number)
    events = []
    is_own = entry.actor.client == REPORTER  # a call that a worker writes down answers no message: anyone may call
    for message in sorted(session.connection().execute(answered).scalars()) if is_own else ():
        kind, answer = EventKind.CONCERN_MESSAGE_ANSWERED, (number, None)
        events += events_about(kind, concern, at=at, message=message, addition=answer)
    events += events_about(EventKind.CONCERN_ADDED, concern, at=at, addition=(number, entry.acknowledge_by))
    append_events(session.connection(), events)
    expect_officer_told(session, reference, entry.officer_by)
    if entry.restricts and not concern.limited_to:
        restrict(session, concern, RestrictedDetails(reason=SAYS_SO), entry.actor)
    return receipt


def _record_reading(session: Session, reference: str, *, at: dt.datetime) -> None:
    concern, numbers = get_concern(session, reference), _unread(session, reference)
    if not numbers:  # another request has recorded the reading
        return
    details = MessageReadDetails(messages=tuple(numbers))
    record_action(session, reference, DeskAct.MESSAGE_READ, by_reporter(at), details)
    read = update(_TABLE).where(*entries_of(EntryKind.MESSAGE, reference), _ENTRIES.number.in_(numbers))
    session.connection().execute(read.values(read_at=at))
    events = []
    for number in numbers:
        events += events_about(EventKind.CONCERN_MESSAGE_READ, concern, at=at, message=number)
    append_events(session.connection(), events)


def _unread(session: Session, reference: str) -> Sequence[int]:
    unread = select(_ENTRIES.number).where(*entries_of(EntryKind.MESSAGE, reference), _ENTRIES.read_at.is_(None))
    return session.connection().execute(unread.order_by(_ENTRIES.number)).scalars().all()
