"""Verifying messages to reporters: each row is compared with what the chain of its concern says."""

import hashlib
from collections.abc import Iterator

from sqlmodel import Session, col, select

from app.models.concerns.message_tables import MessageRow
from app.models.concerns.tables import ConcernRow
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.recorded import RecordedConcern


def faults_in_messages(session: Session, concern: ConcernRow, recorded: RecordedConcern) -> Iterator[str]:
    """Yield each fault of the messages to the reporter of the concern."""
    erased, said = DeskAct.ERASED in recorded.first, recorded.messages
    rows = select(MessageRow).where(MessageRow.reference == concern.reference).order_by(col(MessageRow.number))
    messages = {row.number: row for row in session.exec(rows)}
    for number in sorted(said.sealed_sha256.keys() - messages.keys()):
        yield f"message {number} is missing"
    for number, row in messages.items():
        sealed_sha256 = None if row.sealed is None else hashlib.sha256(row.sealed).hexdigest()
        if sealed_sha256 != (None if erased else said.sealed_sha256.get(number, "none")):
            yield f"message {number} is not the one that is recorded"
        if row.sent_at != said.sent_at.get(number):
            yield f"message {number} has another time than the recorded one"
        if (row.read_at, row.answered_by) != (said.read_at.get(number), said.answered_by.get(number)):
            yield f"message {number} was not read or answered as its row says"
