"""Submission of concerns: resolve the edition, validate, encrypt, store."""

import base64
import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

import orjson
from anyio import to_thread
from sqlalchemy import Connection
from sqlmodel import Session

from app.age.keys import Sealer
from app.db.statements import fixed_insert
from app.db.tables import table_of
from app.db.writer import SharedWrite, Writer, write_without_change
from app.errors import AlreadyStored, FieldError, IdempotencyKeyReused, InvalidConcern, ReferenceTaken, TooManyConcerns
from app.logs import Log
from app.models.audit.rows import DeskAct
from app.models.base import canonical_json, canonical_submission
from app.models.concerns.card_rows import OF_THE_CONCERN
from app.models.concerns.channels import Channel
from app.models.concerns.concern import FORM_VERSION, NO_QUESTION, Concern, ImmediateDanger
from app.models.concerns.digests import seal_details
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.models.concerns.receipts import CheckResponse
from app.models.concerns.rows import LEADS, ConcernRow, StoredReceiptRow
from app.models.concerns.written_down import WrittenConcern
from app.models.desk.look_again import OFFICER, LookAgainRow
from app.models.events.rows import EventKind
from app.models.guides.edition_keys import EditionKey
from app.models.references import new_reference
from app.services.access.limits import LimitKeys
from app.services.access.sources import UNCOUNTED, Admission, Sources
from app.services.audit.audit_log import by_reporter, insert_first_entries, next_row
from app.services.audit.chains import BEFORE_THE_FIRST
from app.services.concerns.arrivals import Arrival
from app.services.concerns.card_making import card_of_concern, insert_cards, seal_card
from app.services.concerns.edition_resolver import EditionResolver
from app.services.concerns.idempotency import IdempotencyKeys, IdempotentResult, Retryable, insert_stored_receipts
from app.services.concerns.receipts import PinnedEdition, ReceiptBuilder
from app.services.concerns.rows import insert_concerns
from app.services.concerns.sealing import concern_plaintext, derive_public_key
from app.services.events.outbox import append_events, concern_payload
from app.services.guides.editions import list_current

NEEDS_TEST_KEY = (
    "A test needs a test key, and nothing was stored. If this is about a real child, send it again without `test`."
)
NEEDS_TEST_MARK = (
    'Nothing was stored: with a test key, a concern must say `"test": true`. If this is about a real child, call now. '
    "To go live, send it with the key for real concerns that the council gives you, or without a key."
)
MAX_ATTEMPTS = 5
LARGE_SUBMISSION_BYTES = 32_768  # a smaller submission is sealed in less time than a thread takes to start
log = Log(__name__)
_NEW_DAY = fixed_insert(table_of(LookAgainRow))


class ConcernCount(StrEnum):
    """How a concern counts.

    `TEST_REFUSED` means that only the concern or only the key is for tests; `MARKED` is of a burst.
    """

    TEST = "stored"
    TEST_REFUSED = "refused"
    MARKED = "marked"


@dataclass(frozen=True)
class Submitted:
    """A concern as sent. If it is `sealed`, `concern` and `json` have only the unencrypted fields.

    `payload` or `json` identifies a retry.
    """

    concern: Concern
    json: bytes
    arrival: Arrival
    keys: IdempotencyKeys | None
    admission: Admission = UNCOUNTED
    sealed: WrittenConcern | None = None
    payload: bytes | None = None


@dataclass(frozen=True)
class _Prepared:
    concern: ConcernRow
    card: bytes | None
    audit_entry: dict[str, Any]
    stored_receipt: StoredReceiptRow | None
    receipt: bytes
    officer_by: dt.date | None


@dataclass(frozen=True)
class Submissions:
    writer: Writer
    resolver: EditionResolver
    sealer: Sealer
    receipts: ReceiptBuilder
    sources: Sources
    count: Callable[[ConcernCount], None] = lambda _counted: None

    def check(self, concern: Concern, *, for_tests: bool = False, at: dt.datetime) -> CheckResponse:
        """Validate a concern as `submit` does, and store nothing."""
        self._expect_both_say_test(concern, for_tests=for_tests)
        return self.receipts.build_check_response(self.resolver.resolve(concern), concern, at=at)

    async def submit(
        self,
        concern: Concern,
        *,
        for_tests: bool = False,
        networks: LimitKeys = (),
        channel: Channel = Channel.API,
        keys: IdempotencyKeys | None,
        at: dt.datetime,
    ) -> IdempotentResult:
        """Encrypt and store a concern, and return its receipt (JSON) once it is on disk. A retry returns the first.

        Its source is counted by `networks`. Raise `InvalidConcern` for an unknown guide, edition, code or item, or if
        only the concern or only the key is for tests. Raise `IdempotencyKeyReused`, `TooManyConcerns`, `StoreBusy`, or
        `ReferenceTaken` if several new references in a row were in use.
        """
        self._expect_both_say_test(concern, for_tests=for_tests)
        submitted = concern.model_dump_json(exclude_unset=True).encode()
        in_danger, cached = concern.immediate_danger == ImmediateDanger.YES, self.resolver.cached(concern)
        resolve = partial(self.resolver.resolve, concern, cached)
        try:
            pinned = await to_thread.run_sync(resolve) if cached is None else resolve()
            admission = await self.sources.admit(networks, size=len(submitted), in_danger=in_danger, day=at.date())
        except (InvalidConcern, TooManyConcerns):
            if keys is not None:  # an earlier request may have stored the concern
                with suppress(IdempotencyKeyReused, orjson.JSONEncodeError):
                    return await to_thread.run_sync(self._replay, concern, keys, at)
            raise
        arrival = Arrival(by_reporter(at), channel, at)
        arrived = Submitted(concern, submitted, arrival, keys, admission)
        prepare = partial(self._prepare, arrived, pinned)
        for _ in range(MAX_ATTEMPTS):
            try:
                is_quick = len(submitted) <= LARGE_SUBMISSION_BYTES
                prepared = prepare() if is_quick else await to_thread.run_sync(prepare)
                await self.writer.run_async(SharedWrite(_write_all, prepared))
            except ReferenceTaken:
                continue
            except AlreadyStored:
                return await to_thread.run_sync(self._replay, concern, keys, at)
            for each in ([ConcernCount.TEST] if for_tests else []) + (
                [ConcernCount.MARKED] if admission.source_id else []
            ):
                self.count(each)
            reference, is_late = prepared.concern.reference, admission.is_late
            return IdempotentResult(reference, prepared.receipt, is_replay=False, is_late=is_late)
        raise ReferenceTaken

    def store(self, submitted: Submitted, pinned: PinnedEdition) -> IdempotentResult:
        """Store a validated concern that a worker wrote down. Return its receipt (JSON) once it is on disk.

        Raise `AlreadyStored`, `StoreBusy`, or `ReferenceTaken`, also for that of a sealed text.
        """
        for _ in range(MAX_ATTEMPTS if submitted.sealed is None else 1):
            prepared = self._prepare(submitted, pinned)
            try:
                self.writer.run(SharedWrite(_write_all, prepared))
            except ReferenceTaken:
                continue
            return IdempotentResult(prepared.concern.reference, prepared.receipt, is_replay=False)
        raise ReferenceTaken

    def rehearse(self, *, at: dt.datetime) -> None:
        """Check that a concern could be stored: write an invented one and roll back, then flush a write without change.

        Without a current edition only the latter. Raise `StoreBusy`, `RowNotStored`, or `SQLAlchemyError`.
        """
        with Session(self.writer.engine) as session:
            current = list_current(session, limit=1)
        prepared = None
        if current:
            edition = current[0].key
            concern = Concern(**SMALLEST_EXAMPLE, guide=edition.guide, edition=edition.number)
            submitted = concern.model_dump_json(exclude_unset=True).encode()
            arrival = Arrival(by_reporter(at), Channel.API, at)
            prepared = self._prepare(Submitted(concern, submitted, arrival, keys=None), self.resolver.resolve(concern))

        def write(session: Session) -> None:
            if prepared is not None:
                with session.begin_nested() as savepoint:
                    _write_all(session.connection(), [prepared])
                    savepoint.rollback()
            write_without_change(session)

        self.writer.run(write)

    def _expect_both_say_test(self, concern: Concern, *, for_tests: bool) -> None:
        """A refused concern may be about a real child: log and count it."""
        if bool(concern.test) is not for_tests:
            self.count(ConcernCount.TEST_REFUSED)
            log.warning("test_concern_refused", reason="a test key alone" if for_tests else "a mark alone")
            raise InvalidConcern([FieldError((NO_QUESTION,), NEEDS_TEST_MARK if for_tests else NEEDS_TEST_KEY)])

    def _replay(self, concern: Concern, keys: IdempotencyKeys | None, at: dt.datetime) -> IdempotentResult:
        return self.replay(canonical_submission(concern), keys, concern.immediate_danger, at=at)

    def replay(
        self, payload: bytes, keys: IdempotencyKeys | None, danger: ImmediateDanger | None, *, at: dt.datetime
    ) -> IdempotentResult:
        """Return the receipt of an earlier request, with the numbers to call now. Raise `IdempotencyKeyReused`."""

        def refresh(receipt: bytes) -> bytes:
            members = orjson.loads(receipt)
            who = self.resolver.pin(EditionKey(members["guide"], members["edition"])).who
            return self.receipts.with_current_numbers(receipt, who, danger, at=at)

        return Retryable(payload, keys, refresh).replay(self.writer.engine)

    def _prepare(self, submitted: Submitted, pinned: PinnedEdition) -> _Prepared:
        concern, arrival, sealed = submitted.concern, submitted.arrival, submitted.sealed
        content = orjson.loads(submitted.json)
        submission = canonical_json(content)  # takes a fifth of the time of serialising the model again
        if sealed is None:
            reference, form_version, restricted = new_reference(), FORM_VERSION, concern.concern.is_about_staff
            digest = {"submission_sha256": hashlib.sha256(submission).hexdigest()}
            test, at = bool(concern.test), arrival.at
            text = self.sealer.seal(concern_plaintext(submitted.json, reference, pinned.key, test=test, at=at))
            card: bytes | None = seal_card(self.sealer, card_of_concern(content), reference, at=arrival.at)
        else:
            reference, form_version, restricted = sealed.reference or "", sealed.form_version or 1, sealed.restricted
            text = base64.b64decode(sealed.sealed or "")
            card = None if sealed.card is None else base64.b64decode(sealed.card)
            digest = {"sealed_sha256": hashlib.sha256(text).hexdigest()}
        is_allegation = restricted or concern.concern.is_allegation
        officer_by = self.receipts.officer_by(is_allegation=is_allegation, at=arrival.at)
        claims = {"form_version": form_version, **digest}
        receipt = self.receipts.build_receipt(pinned, reference, concern, arrival, claims)
        token = receipt.status_token
        row = ConcernRow(
            reference=reference,
            received_at=arrival.at,
            acknowledge_by=receipt.acknowledge_by,
            immediate_danger=concern.immediate_danger,
            guide=pinned.key.guide,
            edition=pinned.key.number,
            referral_source=concern.reporter.source_code,
            form_version=form_version,
            recipients=list(self.sealer.fingerprints),
            sealed=text,
            status_token_sha256=hashlib.sha256(token.encode()).digest() if token else b"",
            test=bool(concern.test),
            changed_at=arrival.at,
            message_key=derive_public_key(token, reference) if token else b"",
            channel=arrival.channel,
            came_at=arrival.came_at,
            received_by=arrival.received_by,
            burst=submitted.admission.source_id,
            limited_to=LEADS if restricted else "",
        )
        stored_receipt = Retryable(submitted.payload or submission, submitted.keys).encrypt(reference, receipt.json)
        details = seal_details(
            text,
            row.recipients,
            columns=dict(row),
            receipt=stored_receipt,
            card=card,
            restricted=restricted,
            officer_by=officer_by,
        )
        audit_entry, _ = next_row(reference, BEFORE_THE_FIRST, DeskAct.RECEIVED, arrival.actor, details)
        return _Prepared(row, card, audit_entry, stored_receipt, receipt.json, officer_by)


def _write_all(connection: Connection, prepared: Sequence[_Prepared]) -> None:
    insert_concerns(connection, [each.concern for each in prepared])
    insert_first_entries(connection, [each.audit_entry for each in prepared])
    cards = [(each.concern.reference, OF_THE_CONCERN, each.card) for each in prepared if each.card is not None]
    if cards:
        insert_cards(connection, cards)
    days = [(each.concern.reference, each.officer_by) for each in prepared if each.officer_by is not None]
    if days:
        _NEW_DAY.run(connection, *({"reference": each, "person": OFFICER, "day": day} for each, day in days))
    real = [each.concern for each in prepared if not each.concern.test]
    append_events(connection, [(EventKind.CONCERN_RECEIVED, each.received_at, concern_payload(each)) for each in real])
    insert_stored_receipts(connection, [each.stored_receipt for each in prepared])
