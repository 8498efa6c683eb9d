"""The rows of concerns and of the receipts kept for retries."""

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.errors import AlreadyKept, ReferenceTaken
from app.models.concern_tables import ConcernRow, KeptReceiptRow


def insert_concern(connection: Connection, concern: ConcernRow) -> None:
    """Insert it; raises `ReferenceTaken` where another concern has its reference."""
    try:
        connection.execute(insert(ConcernRow), [concern.model_dump()])
    except IntegrityError:
        raise ReferenceTaken from None


def insert_kept_receipt(connection: Connection, kept: KeptReceiptRow) -> None:
    """Insert it; raises `AlreadyKept` where its idempotency key was used before."""
    try:
        connection.execute(insert(KeptReceiptRow), [kept.model_dump()])
    except IntegrityError:
        raise AlreadyKept from None


def find_kept_receipt(session: Session, *, key_sha256: bytes) -> KeptReceiptRow | None:
    """The receipt that was kept under that idempotency key."""
    return session.scalar(select(KeptReceiptRow).where(col(KeptReceiptRow.key_sha256) == key_sha256))


def find_concern(session: Session, *, reference: str) -> ConcernRow | None:
    """The concern of that reference."""
    return session.get(ConcernRow, reference)
