"""The statement of an export: the concern in clear, its whole history and its hand-overs, signed."""

import datetime as dt

from sqlalchemy import Engine

from app.models.desk.exports import ExportStatement
from app.presenters.desk import entry_of
from app.services.concerns.receipt_signing import ReceiptSigner
from app.services.desk.exports import ExportStart, read_history, sign_statement


def export_statement(engine: Engine, signer: ReceiptSigner, start: ExportStart, *, at: dt.datetime) -> ExportStatement:
    """Return the statement of an export that has begun."""
    entry = entry_of(start.concern, now=at)
    return ExportStatement(
        concern=entry,
        history=read_history(engine, start.last),
        hand_overs=start.hand_overs,
        by=start.last.client,
        at=at,
        statement=sign_statement(signer, start, entry),
        **start.counts,
    )
