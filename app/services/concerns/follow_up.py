"""Following a concern: its reporter asks how it stands, or adds to it, with reference and status token."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable

from sqlalchemy import Connection
from sqlmodel import Session

from app.errors import AlreadyStored, ConcernErased, InvalidConcern, NoSuchConcern
from app.models.concerns.addition import Addition
from app.models.concerns.receipts import ConcernStatus
from app.models.concerns.references import find_reference
from app.models.concerns.tables import AdditionRow, ConcernRow
from app.models.digest import canonical_submission
from app.models.events.tables import EventKind
from app.services.concerns.edition_resolver import unknown_ids
from app.services.concerns.idempotency import IdempotentResult, RetryKey, for_retries, replay
from app.services.concerns.sealing import sealed_addition
from app.services.concerns.submission import Intake
from app.services.events.payloads import concern_data
from app.store.concerns import find_concern, get_concern, insert_addition, insert_kept_receipts, update_concern
from app.store.editions import EditionKey
from app.store.events import tell

MORE_URGENT = ("no", "not_sure", "yes")


def get_status(intake: Intake, *, typed_reference: str, status_token: str, at: dt.datetime) -> ConcernStatus:
    """How the concern stands. Raises `NoSuchConcern` for a wrong reference and a wrong token alike."""
    with Session(intake.engine) as session:
        row = _the_concern(session, typed_reference, status_token)
    contacts = intake.contents(EditionKey(row.guide, row.edition)).contacts
    return intake.clerk.answer_status(row, contacts, at=at)


def add_to_concern(
    intake: Intake,
    addition: Addition,
    *,
    typed_reference: str,
    status_token: str,
    idempotency: Callable[[str], RetryKey | None],
    at: dt.datetime,
) -> IdempotentResult:
    """Keep the addition, sealed; returns only once it is on the disk. The concern may only become more urgent by it.

    Raises `NoSuchConcern`, `ConcernErased`, `InvalidConcern` with every fault, or `StoreBusy`.
    """
    with Session(intake.engine) as session:
        row = _the_concern(session, typed_reference, status_token)
        if row.erased_at is not None:
            raise ConcernErased
    content = intake.contents(EditionKey(row.guide, row.edition))
    faults = intake.reference_data.faults_in_codes(addition) + unknown_ids(addition.concern, content)
    if faults:
        raise InvalidConcern(faults)
    told = intake.clerk.answer_addition(row, content.contacts, at=at).model_dump_json().encode()
    retry = idempotency(row.reference)
    submission = canonical_submission(addition)
    kept = for_retries(retry, submission, row.reference, told)
    sealed = AdditionRow(
        reference=row.reference,
        number=0,
        received_at=at,
        recipients=list(intake.sealer.fingerprints),
        sealed=intake.sealer.seal(sealed_addition(addition, row.reference, at=at)),
    )

    def act(connection: Connection) -> None:
        concern = get_concern(connection, row.reference)  # as it stands by now: others may have acted on it
        if concern.erased_at is not None:
            raise ConcernErased
        urgency = max(concern.immediate_danger, addition.immediate_danger or "no", key=MORE_URGENT.index)
        insert_addition(connection, sealed)
        update_concern(connection, row.reference, added_at=at, immediate_danger=str(urgency))
        tell(connection, EventKind.CONCERN_ADDED, at=at, data=concern_data(get_concern(connection, row.reference)))
        if kept is not None:
            insert_kept_receipts(connection, [kept])

    try:
        intake.writer.keep(act)
    except AlreadyStored:
        return replay(intake.engine, retry, submission)
    return IdempotentResult(row.reference, told, is_replay=False)


def _the_concern(session: Session, typed_reference: str, status_token: str) -> ConcernRow:
    row = find_concern(session, reference=find_reference(typed_reference) or "")
    expected = row.status_token_sha256 if row else bytes(hashlib.sha256().digest_size)
    given = hashlib.sha256(status_token.encode()).digest()
    if not hmac.compare_digest(given, expected) or row is None:
        raise NoSuchConcern
    return row
