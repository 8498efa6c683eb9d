"""Exports: the signed statement about a concern, and the record of the file that was made with it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from app.models.base import format_utc
from app.models.concerns.tables import ConcernRow
from app.models.desk.concerns import DisclosureEntry, InboxEntry
from app.models.desk.disclosure_tables import DeskAct, DisclosureRow
from app.models.desk.exports import NOT_SIGNED, ExportEntry, NewExport
from app.models.desk.hand_overs import HandOverEntry
from app.services.concerns.receipt_signing import EXPORT, EXPORT_STATEMENT, ReceiptSigner
from app.services.desk.hand_overs import hand_over_entry
from app.store.added_texts import ADDITIONS, NOTES
from app.store.concerns import get_unerased
from app.store.disclosures import Actor, record_disclosure
from app.store.hand_overs import list_hand_overs
from app.store.writer import write_operation

FOR_AN_EXPORT = "history, for an export"


@dataclass(frozen=True)
class ExportStart:
    """A concern at the moment when an export of it begins. `last` is the row of its chain that says so."""

    concern: ConcernRow
    counts: dict[str, int]
    """How many `additions` and `notes` it has."""
    hand_overs: tuple[HandOverEntry, ...]
    last: DisclosureRow


@write_operation
def begin_export(session: Session, reference: str, *, actor: Actor, at: dt.datetime) -> ExportStart:
    """Record that an export begins. Raises `NoSuchConcern` or `ConcernErased`."""
    concern = get_unerased(session, reference)
    counts = {f"{each.kind}s": each.measure(session, reference)[0] for each in (ADDITIONS, NOTES)}
    hand_overs = tuple(hand_over_entry(row) for row in list_hand_overs(session, reference))
    last = record_disclosure(session, chain=reference, act=DeskAct.LISTED, actor=actor, at=at, detail=FOR_AN_EXPORT)
    return ExportStart(concern, counts, hand_overs, last)


def read_history(engine: Engine, last: DisclosureRow) -> tuple[DisclosureEntry, ...]:
    """Return the rows of a chain, up to that one."""
    rows = select(DisclosureRow).where(DisclosureRow.chain == last.chain, DisclosureRow.number <= last.number)
    with Session(engine) as session:
        found = session.exec(rows.order_by(col(DisclosureRow.number)))
        return tuple(DisclosureEntry(**row.model_dump(exclude={"position"})) for row in found)


def sign_statement(signer: ReceiptSigner, start: ExportStart, concern: InboxEntry) -> str:
    """Return the JWS of what the service knows: the concern in clear, and where its history ends."""
    last = start.last
    end = {"by": last.client, "length": last.number, "head_sha256": last.sha256}
    claims = _claims(concern.reference, last.at) | end | start.counts
    return signer.sign(claims | {"concern": concern.model_dump(mode="json", exclude=NOT_SIGNED)}, kind=EXPORT_STATEMENT)


@write_operation
def record_export(
    session: Session, reference: str, export: NewExport, *, signer: ReceiptSigner, actor: Actor, at: dt.datetime
) -> ExportEntry:
    """Record the file with its digest, and sign it. Raises `NoSuchConcern` or `ConcernErased`."""
    get_unerased(session, reference)
    detail = f"sha256:{export.file_sha256} {'with' if export.notes else 'without'} notes"
    record_disclosure(session, chain=reference, act=DeskAct.EXPORTED, actor=actor, at=at, detail=detail)
    fields = export.model_dump() | {"by": actor.client}
    signature = signer.sign(_claims(reference, at) | fields, kind=EXPORT)
    return ExportEntry.model_validate(fields | {"at": at, "signature": signature})


def _claims(reference: str, at: dt.datetime) -> dict[str, Any]:
    return {"jti": reference, "iat": int(at.timestamp()), "at": format_utc(at)}
