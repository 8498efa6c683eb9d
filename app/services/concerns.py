"""The rows of concerns."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any

import orjson
from anyio import to_thread
from sqlalchemy import Engine, bindparam, func, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from app.age.keys import Sealer
from app.db.tables import table_of
from app.db.writer import SharedWrite, Writer, write_without_change
from app.errors import (
    AlreadyStored,
    ConcernErased,
    FaultCode,
    FieldError,
    IdempotencyKeyReused,
    InvalidConcern,
    NoSuchConcern,
    NoSuchEdition,
    ReferenceTaken,
    TooManyConcerns,
)
from app.logs import Log
from app.models.base import canonical_json, canonical_submission
from app.models.concerns import (
    FORM_VERSION,
    NO_QUESTION,
    Concern,
    ConcernDetail,
    ConcernRow,
    ImmediateDanger,
    NewConcern,
    StoredReceiptRow,
)
from app.models.editions import EditionContent
from app.models.events import EventKind
from app.models.form import SMALLEST_EXAMPLE
from app.models.items import Identified
from app.models.receipts import CheckResponse
from app.models.record import DeskAct
from app.models.record_details import seal_details
from app.models.sections import DOCUMENTED, Section
from app.services.catalogue import find_guides
from app.services.chains import BEFORE_THE_FIRST
from app.services.editions import Contents, EditionKey, current_of, default_guide, find_history, list_current
from app.services.events import append_events, concern_payload
from app.services.limits import UNCOUNTED, Admission, Networks, Sources
from app.services.receipts import (
    IdempotencyKeys,
    IdempotentResult,
    PinnedEdition,
    ReceiptBuilder,
    Retryable,
    insert_stored_receipts,
)
from app.services.record import by_reporter, insert_first_disclosures, next_row
from app.services.reference_data import ReferenceData
from app.services.sealing import concern_plaintext, derive_public_key

NO_SUCH_REFERENCE = "No concern has that reference. Check it for a slip."
WITHOUT_SEALED = defer(ConcernRow.sealed)  # type: ignore[arg-type]  # SQLModel types a column as its value
"""Loads the columns of a concern without its sealed text."""
_ONE_CONCERN = select(ConcernRow).options(WITHOUT_SEALED).where(ConcernRow.reference == bindparam("reference"))
_NEW_CONCERN = insert(table_of(ConcernRow))  # executed with every concern: built once
_DEFAULTS = {
    name: field.default
    for name, field in ConcernRow.model_fields.items()
    if not field.is_required() and field.default is not None
}


def insert_concerns(session: Session, concerns: Sequence[NewConcern]) -> None:
    """Insert the concerns; raises `ReferenceTaken` if another concern has one of the references."""
    rows = [_DEFAULTS | vars(concern) | {"changed_at": concern.received_at} for concern in concerns]
    try:
        session.connection().execute(_NEW_CONCERN, rows)
    except IntegrityError:
        raise ReferenceTaken from None


def find_concern(session: Session, reference: str) -> ConcernRow | None:
    """Return the concern of that reference, or None. Its sealed text, which may be large, is not read."""
    return session.scalars(_ONE_CONCERN, {"reference": reference}).one_or_none()


RECENT_TESTS = dt.timedelta(days=1)
RECENT_FLOOD = dt.timedelta(hours=1)
MANY_MARKED = 200
"""How many marked concerns in that time are a flood rather than a school."""


def count_recent_tests(session: Session, *, now: dt.datetime) -> int:
    """Return how many tests came in the last day."""
    recent = (col(ConcernRow.received_at) > now - RECENT_TESTS, col(ConcernRow.test).is_(True))
    return session.exec(select(func.count()).select_from(ConcernRow).where(*recent)).one()


def has_flood(session: Session, *, now: dt.datetime) -> bool:
    """Return whether many concerns came in the last hour that are marked as one of many from a source."""
    marked = (col(ConcernRow.received_at) > now - RECENT_FLOOD, col(ConcernRow.burst) != "")
    return session.exec(select(1).where(*marked).offset(MANY_MARKED).limit(1)).first() is not None


def get_concern(session: Session, reference: str) -> ConcernRow:
    """Return the concern of that reference without its sealed text; raises `NoSuchConcern`."""
    concern = find_concern(session, reference)
    if concern is None:
        raise NoSuchConcern(NO_SUCH_REFERENCE)
    return concern


def get_unerased(session: Session, reference: str) -> ConcernRow:
    """Return the concern of that reference without its sealed text; raises `NoSuchConcern` or `ConcernErased`."""
    concern = get_concern(session, reference)
    if concern.erased_at is not None:
        raise ConcernErased
    return concern


# The edition that a concern is about, and the ids and codes that the concern names.


NAMED_IN_CONCERNS = {section.key: section for section in DOCUMENTED if section.key in ConcernDetail.model_fields}
"""The sections of which a concern may name items, by key."""


NO_SUCH_GUIDE = "There is no guide with this name. GET /v1/guides lists the guides."


@dataclass
class EditionResolver:
    """Resolves the edition that a concern is about, and remembers what it found until it is invalidated.

    A concern that names no guide is about the default guide. If it names items that the default guide lacks, it is
    about the guide whose current edition has them all: of several, the first published.
    A read that started before the invalidation writes to the former memory, which is no longer used.
    """

    engine: Engine
    reference_data: ReferenceData
    contents: Contents
    preferred_guide: str | None = None
    _found: dict[tuple[str | None, int | None], PinnedEdition] = field(default_factory=dict)

    def invalidate(self) -> None:
        """Forget everything: an edition was published or withdrawn."""
        self._found = {}

    def cached(self, concern: Concern) -> PinnedEdition | None:
        """Return the edition if nothing needs to be read to find it; else None."""
        found = self._found.get((concern.guide, concern.edition))
        lacks_items = found is not None and concern.guide is None and unknown_ids(concern.concern, found.content)
        return None if lacks_items else found

    def resolve(self, concern: Concern, cached: PinnedEdition | None = None) -> PinnedEdition:
        """Return the edition, which may be `cached`; raises `InvalidConcern` with every fault that was found.

        A withdrawn edition is accepted if the concern names it: it is the edition that the reporter was shown.
        """
        faults = self.reference_data.faults_in_codes(concern)
        found = cached or self.cached(concern) or self._find(concern)
        if isinstance(found, FieldError):
            raise InvalidConcern([found, *faults])
        faults += unknown_ids(concern.concern, found.content)
        if faults:
            raise InvalidConcern(faults)
        return found

    def _find(self, concern: Concern) -> PinnedEdition | FieldError:
        found = self._find_in(concern.guide, concern.edition)
        if concern.guide is None and (isinstance(found, FieldError) or unknown_ids(concern.concern, found.content)):
            with Session(self.engine) as session:
                others = find_guides(session, named_items(concern.concern))
            found = self._find_in(others[0], concern.edition) if others else found
        return found if isinstance(found, FieldError) else found._replace(guide_named=concern.guide is not None)

    def pin(self, key: EditionKey) -> PinnedEdition:
        """Return the edition of a stored concern."""
        found = self._found.get(key) or self._find_in(*key)
        if isinstance(found, FieldError):  # no published edition is ever deleted
            raise NoSuchEdition
        return found

    def _find_in(self, guide: str | None, number: int | None) -> PinnedEdition | FieldError:
        memory = self._found
        with Session(self.engine) as session:  # its connection is returned before another is taken
            default = default_guide(session, self.preferred_guide)
            wanted = guide or default
            history = find_history(session, guide=wanted) if wanted is not None else []
            current = current_of(history) or (current_of(find_history(session, guide=default)) if default else None)
        if wanted is None or not history:
            return FieldError(("guide",), NO_SUCH_GUIDE, FaultCode.UNKNOWN_GUIDE)
        if number is not None and number > len(history):
            return FieldError(("edition",), "The guide has no edition with this number.", FaultCode.UNKNOWN_EDITION)
        key = EditionKey(wanted, number or (current_of(history) or history[0]).number)
        content = self.contents(key)
        who = self.reference_data.who_to_call(self.contents(current.key) if current is not None else content)
        memory[key] = PinnedEdition(key, content, who, guide_named=True)
        found = memory[guide, number] = memory[key]._replace(guide_named=guide is not None)
        return found


def named_items(detail: ConcernDetail) -> set[tuple[str, str]]:
    """Return every item that the concern names, as section key and id."""
    return {(key, item.id) for key in NAMED_IN_CONCERNS for item in getattr(detail, key)}


def unknown_ids(detail: ConcernDetail, content: EditionContent) -> list[FieldError]:
    """Return a fault for every indicator, factor and linked risk that the concern names and the edition lacks."""
    return [
        fault
        for key, section in NAMED_IN_CONCERNS.items()
        if (named := getattr(detail, key))
        for fault in _unknown(section, named, getattr(content, key))
    ]


def _unknown(section: Section, named: Iterable[Identified], known: Iterable[Identified]) -> list[FieldError]:
    ids = {item.id for item in known}
    message = f"The edition has no item with this id among its {section.words}."
    return [
        FieldError(("concern", section.key, place, "id"), message, FaultCode.UNKNOWN_ITEM)
        for place, item in enumerate(named)
        if item.id not in ids
    ]


# Submission of concerns: check a concern, or store it and return its receipt.


NEEDS_TEST_KEY = (
    "A test needs a test key, and nothing was stored. If this is about a real child, send it again without `test`."
)
NEEDS_TEST_MARK = (
    'Nothing was stored: with a test key, a concern must say `"test": true`. If this is about a real child, call now. '
    "To go live, send it with the key for real concerns that the council gives you, or without a key."
)
MAX_ATTEMPTS = 5
LARGE_SUBMISSION_BYTES = 32_768  # a smaller one is sealed in less time than a thread takes to start


log = Log(__name__)


class Counted(StrEnum):
    """What is counted of concerns beside the requests."""

    TEST = "stored"
    TEST_REFUSED = "refused"
    MARKED = "marked"


@dataclass(frozen=True)
class _Submitted:
    """A concern as it came, and as JSON; whether it is a test; the keys of its idempotency key; and how it is taken."""

    concern: Concern
    json: bytes
    test: bool
    keys: IdempotencyKeys | None
    admission: Admission = UNCOUNTED


@dataclass(frozen=True)
class _Prepared:
    """A concern with a new reference, ready to be stored."""

    concern: NewConcern
    disclosure: dict[str, Any]
    stored_receipt: StoredReceiptRow | None
    receipt: bytes


@dataclass(frozen=True)
class Submissions:
    """Checks concerns and stores them, sealed."""

    engine: Engine
    writer: Writer
    resolver: EditionResolver
    sealer: Sealer
    receipts: ReceiptBuilder
    sources: Sources
    count: Callable[[Counted], None] = lambda _counted: None
    """Counts for the metrics what is not simply a concern that was stored."""

    def check(self, concern: Concern, *, for_tests: bool = False, at: dt.datetime) -> CheckResponse:
        """Validate the concern as a submission does, and store nothing. Raises `InvalidConcern` with every fault."""
        self._expect_both_say_test(concern, for_tests=for_tests)
        return self.receipts.build_check_response(self.resolver.resolve(concern), concern, at=at)

    async def submit(
        self,
        concern: Concern,
        *,
        for_tests: bool = False,
        networks: Networks = (),
        keys: IdempotencyKeys | None,
        at: dt.datetime,
    ) -> IdempotentResult:
        """Store the concern, sealed, and return its receipt after it is on the disk. With a key for tests it is a test.

        `networks` are where it comes from, if it has no key and is to be counted. A retry with the same idempotency key
        and the same words gets the first receipt and makes no second concern. Raises `InvalidConcern`,
        `IdempotencyKeyReused`, `TooManyConcerns`, or `StoreBusy` if it could not be stored in time.
        """
        self._expect_both_say_test(concern, for_tests=for_tests)
        submitted = concern.model_dump_json(exclude_unset=True).encode()
        in_danger = concern.immediate_danger == ImmediateDanger.YES
        try:
            pinned = await self._resolve(concern)
            admission = await self.sources.admit(networks, size=len(submitted), in_danger=in_danger, day=at.date())
        except (InvalidConcern, TooManyConcerns):
            if keys is not None:  # it may have been taken, and stored, before
                with suppress(IdempotencyKeyReused, orjson.JSONEncodeError):
                    return await to_thread.run_sync(self._replay, concern, keys, at)
            raise
        arrived = _Submitted(concern, submitted, for_tests, keys, admission)
        prepare = partial(self._prepare, arrived, pinned, at=at)
        for _ in range(MAX_ATTEMPTS):
            try:
                is_quick = len(submitted) <= LARGE_SUBMISSION_BYTES
                prepared = prepare() if is_quick else await to_thread.run_sync(prepare)
                await self.writer.run_async(SharedWrite(_write_all, prepared))
            except ReferenceTaken:
                continue
            except AlreadyStored:
                return await to_thread.run_sync(self._replay, concern, keys, at)
            for each in ([Counted.TEST] if for_tests else []) + ([Counted.MARKED] if admission.mark else []):
                self.count(each)
            reference, is_late = prepared.concern.reference, admission.is_late
            return IdempotentResult(reference, prepared.receipt, is_replay=False, is_late=is_late)
        raise ReferenceTaken

    async def _resolve(self, concern: Concern) -> PinnedEdition:
        """Return the edition that it is about, read in a thread where it must be read. Raises `InvalidConcern`."""
        cached = self.resolver.cached(concern)
        if cached is None:
            return await to_thread.run_sync(self.resolver.resolve, concern)
        return self.resolver.resolve(concern, cached)

    def rehearse(self, *, at: dt.datetime) -> None:
        """Do all that `submit` does with an invented concern, up to the disk, and leave nothing of it.

        Its rows are written and rolled back; a write without any change is then flushed to the disk. Without a guide
        there is nothing that a concern can be about, and only that write is tried. Raises what `submit` would raise.
        """
        with Session(self.engine) as session:
            current = list_current(session, limit=1)
        prepared = self._prepare_invented(current[0].key, at=at) if current else None

        def write(session: Session) -> None:
            if prepared is not None:
                with session.begin_nested() as savepoint:
                    _write_all(session, [prepared])
                    savepoint.rollback()
            write_without_change(session)

        self.writer.run(write)

    def _prepare_invented(self, edition: EditionKey, *, at: dt.datetime) -> _Prepared:
        concern = Concern(**SMALLEST_EXAMPLE, guide=edition.guide, edition=edition.number)
        submitted = concern.model_dump_json(exclude_unset=True).encode()
        pinned = self.resolver.resolve(concern)
        return self._prepare(_Submitted(concern, submitted, test=False, keys=None), pinned, at=at)

    def _expect_both_say_test(self, concern: Concern, *, for_tests: bool) -> None:
        """Refuse what only the concern, or only its key, calls a test: it may be about a real child."""
        if bool(concern.test) is not for_tests:
            self.count(Counted.TEST_REFUSED)
            log.warning("test_concern_refused", reason="a test key alone" if for_tests else "a mark alone")
            raise InvalidConcern([FieldError((NO_QUESTION,), NEEDS_TEST_MARK if for_tests else NEEDS_TEST_KEY)])

    def _replay(self, concern: Concern, keys: IdempotencyKeys | None, at: dt.datetime) -> IdempotentResult:
        """Return the receipt of the first request, with the numbers to call now."""

        def refresh(receipt: bytes) -> bytes:
            members = orjson.loads(receipt)
            who = self.resolver.pin(EditionKey(members["guide"], members["edition"])).who
            return self.receipts.with_current_numbers(receipt, who, concern.immediate_danger, at=at)

        return Retryable(canonical_submission(concern), keys, refresh).replay(self.engine)

    def _prepare(self, submitted: _Submitted, pinned: PinnedEdition, *, at: dt.datetime) -> _Prepared:
        """Build the receipt, and the row: the whole concern sealed, and in clear only what routing needs."""
        concern, test = submitted.concern, submitted.test
        submission = canonical_json(orjson.loads(submitted.json))  # in a fifth of the time that the model takes again
        receipt = self.receipts.build_receipt(pinned, submission, concern, test=test, at=at)
        reference, token = receipt.reference, receipt.status_token
        row = NewConcern(
            reference=reference,
            received_at=receipt.received_at,
            acknowledge_by=receipt.acknowledge_by,
            immediate_danger=concern.immediate_danger,
            guide=pinned.key.guide,
            edition=pinned.key.number,
            referral_source=concern.reporter.source_code,
            form_version=FORM_VERSION,
            recipients=self.sealer.fingerprints,
            sealed=self.sealer.seal(concern_plaintext(submitted.json, reference, pinned.key, test=test, at=at)),
            status_token_sha256=hashlib.sha256(token.encode()).digest(),
            test=test,
            message_key=derive_public_key(token, reference),
            burst=submitted.admission.mark,
        )
        stored_receipt = Retryable(submission, submitted.keys).encrypt(reference, receipt.json)
        details = seal_details(row.sealed, row.recipients, columns=vars(row), receipt=stored_receipt)
        disclosure, _ = next_row(reference, BEFORE_THE_FIRST, DeskAct.RECEIVED, by_reporter(at), details)
        return _Prepared(row, disclosure, stored_receipt, receipt.json)


def _write_all(session: Session, prepared: Sequence[_Prepared]) -> None:
    insert_concerns(session, [each.concern for each in prepared])
    insert_first_disclosures(session, [each.disclosure for each in prepared])
    real = [each.concern for each in prepared if not each.concern.test]
    append_events(session, [(EventKind.CONCERN_RECEIVED, each.received_at, concern_payload(each)) for each in real])
    insert_stored_receipts(session, [each.stored_receipt for each in prepared])
