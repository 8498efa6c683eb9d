"""Exports: one concern as one file, a PDF with JSON inside, that can be verified.

A comment at the end of the PDF has the service's signature over everything before. After it only the last lines of the
PDF are repeated, because programs read a PDF from its end. The JSON has the signed statement, and each text both sealed
and decrypted, with a key for this text only, so that anyone can check the decrypted text against the sealed one, whose
digest is in the history.
"""

import base64
import datetime as dt
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sqlmodel import Session, col, select

from app.age.files import open_with_file_key
from app.age.keys import NotThatFile
from app.errors import ExportNotGenuine, ExtraMissing, PdfUnavailable, ReceiptNotGenuine
from app.models.audit.details import ExportedDetails, ShownDetails, ShownPage, audit_entry_row, present_audit_entry
from app.models.audit.entry_kinds import MEMBER_OF_KIND, EntryKind, EntryPlace
from app.models.audit.rows import AuditEntryRow, DeskAct
from app.models.base import format_utc, parse_json
from app.models.concerns.rows import ConcernRow
from app.models.desk.exports import NOT_SIGNED, ExportEntry, ExportStatement, NewExport
from app.models.desk.hand_over_details import acts_of_hand_overs, recorded_hand_overs
from app.models.desk.hand_overs import HandOverEntry, HandOverRow
from app.services.audit.audit_log import Actor, record_action
from app.services.audit.chains import BEFORE_THE_FIRST, End, hash_of
from app.services.audit.replay import RecordedConcern, replay
from app.services.concerns.entries import Desk, measure_entries
from app.services.concerns.receipt_signing import (
    EXPORT,
    EXPORT_STATEMENT,
    HAND_OVER,
    ReceiptSigner,
    check_receipt,
    thumbprint_of,
)
from app.services.concerns.rows import get_unerased
from app.services.concerns.sealing import Unsealer, open_note
from app.services.desk.hand_overs import hand_over_entry, list_hand_overs
from app.services.desk.presented_concerns import entry_of
from app.services.guides.pdf import NO_LETTER, fonts, pdf_available

FOR_AN_EXPORT = "history, for an export"
TEXTS_FOR_AN_EXPORT = "sealed texts, for an export"
FOR_A_PERSON_FILE = "history and sealed texts, for the file of one person"
SENTENCE = "detail"
"""Name of the text for people, which no hash covers."""
EXPORT_KIND = "guidance-export"
EXPORT_VERSION = 1
SealedTexts = Mapping[EntryPlace | None, bytes]
"""Sealed texts by place. None is the concern's own text."""
EXPORTED_KINDS = (EntryKind.ADDITION, EntryKind.NOTE)
"""Labels are not exported: the desk uses them to refer to a concern."""
ATTACHMENT = "concern.json"
SIGNED = re.compile(
    rb"(?P<pdf>.*\nstartxref\n(?P<start>[0-9]+)\n%%EOF\n)"
    rb"%guidance-export (?P<signature>[A-Za-z0-9_.-]+)\nstartxref\n(?P=start)\n%%EOF\n",
    re.DOTALL,
)
Keys = dict[str, Any]
SIGNED_FIELDS = ("number", "body", "reason", "recipient", "package_sha256", "additions", "at")
EXPORT_TEMPLATE = Path(__file__).with_name("export.typ")
TAGGED_FOR_ARCHIVES: Sequence[Literal["ua-1", "a-3a"]] = ("ua-1", "a-3a")


def sign_export(desk: Desk, reference: str, actor: Actor, *, notes_of_file: bool | None = None) -> ExportStatement:
    """Record that an export begins. Return unencrypted data and history, signed.

    For a file about one person, `notes_of_file` says whether it has notes, and the entry then covers the sealed texts.
    Raise `NoSuchConcern`, `ConcernErased` or `StoreBusy`.
    """
    concern, counts, hand_overs, last = desk.writer.run(_begin, reference, actor, notes_of_file)
    rows = select(AuditEntryRow).where(AuditEntryRow.chain == reference, AuditEntryRow.number <= last.number)
    with Session(desk.engine) as session:
        found = session.exec(rows.order_by(col(AuditEntryRow.number)))
        history = tuple(map(present_audit_entry, found))
    entry = entry_of(concern, now=actor.at)
    end = {"by": actor.client, "length": last.number, "head_sha256": last.sha256}
    in_clear = entry.model_dump(mode="json", exclude=NOT_SIGNED)
    claims = claims_of(reference, actor.at) | end | counts | {"concern": in_clear}
    return ExportStatement(
        concern=entry,
        history=history,
        hand_overs=hand_overs,
        by=actor.client,
        at=actor.at,
        statement=desk.signer.sign(claims, kind=EXPORT_STATEMENT),
        **counts,
    )


def _begin(
    session: Session, reference: str, actor: Actor, notes_of_file: bool | None
) -> tuple[ConcernRow, dict[str, int], tuple[HandOverEntry, ...], End]:
    concern = get_unerased(session, reference)
    counts = {f"{each}s": measure_entries(session, each, reference)[0] for each in EXPORTED_KINDS}
    hand_overs = tuple(hand_over_entry(row) for row in list_hand_overs(session, reference))
    act, details = DeskAct.LISTED, ShownDetails(what=FOR_AN_EXPORT)
    if notes_of_file is not None:
        act, details = DeskAct.OPENED, _texts_given(places_of(counts, notes=notes_of_file), FOR_A_PERSON_FILE)
    last = record_action(session, reference, act, actor, details)
    return concern, counts, hand_overs, last


def record_texts_given(session: Session, reference: str, places: Sequence[EntryPlace | None], actor: Actor) -> None:
    """Record an export before its sealed texts are read. Raise `NoSuchConcern` or `ConcernErased`."""
    get_unerased(session, reference)
    record_action(session, reference, DeskAct.OPENED, actor, _texts_given(places, TEXTS_FOR_AN_EXPORT))


def _texts_given(places: Sequence[EntryPlace | None], what: str) -> ShownDetails:
    numbers = {kind: [each.number for each in places if each and each.kind is kind] for kind in EXPORTED_KINDS}
    pages = tuple(ShownPage(kind=kind, first=min(given), last=max(given)) for kind, given in numbers.items() if given)
    return ShownDetails(what=what, pages=pages)


def record_export(
    session: Session, reference: str, export: NewExport, actor: Actor, signer: ReceiptSigner
) -> ExportEntry:
    """Record that an export was made, with its digest, and return the signed entry.

    Raise `NoSuchConcern` or `ConcernErased`.
    """
    get_unerased(session, reference)
    details = ExportedDetails(file_sha256=export.file_sha256, notes=export.notes)
    record_action(session, reference, DeskAct.EXPORTED, actor, details)
    fields = export.model_dump() | {"by": actor.client}
    signature = signer.sign(claims_of(reference, actor.at) | fields, kind=EXPORT)
    return ExportEntry.model_validate(fields | {"at": actor.at, "signature": signature})


def claims_of(reference: str, at: dt.datetime) -> dict[str, Any]:
    return {"jti": reference, "iat": int(at.timestamp()), "at": format_utc(at)}


def build_export(
    statement: dict[str, Any], texts: SealedTexts, unsealer: Unsealer, keys: dict[str, Any], *, notes: bool
) -> dict[str, Any]:
    """Return the JSON with each text sealed and decrypted, without the history's sentences: no hash covers them.

    Raise `UnsealingUnavailable`, or `SealedTextMisplaced`, also for a note of another time or author than the history.
    """
    history = [{name: each[name] for name in each if name != SENTENCE} for each in statement["history"]]
    reference = statement["concern"]["reference"]
    written = replay(RecordedConcern(), history_of(statement)).added
    return {
        "kind": EXPORT_KIND,
        "version": EXPORT_VERSION,
        "reference": reference,
        "notes_included": notes,
        "texts": [_text(added, sealed, unsealer, reference, written.get(added)) for added, sealed in texts.items()],
        "statement": statement | {"history": history},
        "keys": keys,
    }


def history_of(statement: dict[str, Any]) -> list[AuditEntryRow]:
    return [audit_entry_row(entry) for entry in statement["history"]]


def _text(
    added: EntryPlace | None, sealed: bytes, unsealer: Unsealer, reference: str, written: AuditEntryRow | None
) -> dict[str, Any]:
    if added is not None and added.kind is EntryKind.NOTE and written is not None:
        opened = open_note(unsealer, sealed, reference=reference, received_at=written.at, author=written.client)
    else:
        opened = unsealer.open(sealed, reference=reference)
    return {
        "kind": "concern" if added is None else added.kind.value,
        "number": None if added is None else added.number,
        "opened": opened,
        "sealed": base64.b64encode(sealed).decode(),
        "file_key": base64.b64encode(unsealer.find_file_key(sealed)).decode(),
    }


class ExportFile(NamedTuple):
    """An export. `sha256` is the digest of the PDF without the signature."""

    sha256: str
    signature: str
    document: dict[str, Any]


def finish_pdf(pdf: bytes) -> bytes:
    return pdf.rstrip(b"\r\n") + b"\n"


def add_signature(pdf: bytes, signature: str) -> bytes:
    """Return `pdf`, from `finish_pdf`, with `signature` in a comment. The last lines are repeated after it."""
    start = pdf.rpartition(b"startxref\n")[2].partition(b"\n")[0]
    return pdf + b"%guidance-export " + signature.encode() + b"\nstartxref\n" + start + b"\n%%EOF\n"


def read_export_file(content: bytes) -> ExportFile:
    """The signature is not checked. Raise `ExportNotGenuine`, or `ExtraMissing`."""
    found = SIGNED.fullmatch(content)
    if found is None:
        raise ExportNotGenuine("The file is no export, or its end was cut off or changed.")
    try:
        document = parse_json(_attachment(found["pdf"]))
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ExportNotGenuine("The JSON in the file cannot be read.")
    return ExportFile(hashlib.sha256(found["pdf"]).hexdigest(), found["signature"].decode(), document)


def _attachment(pdf: bytes) -> bytes:
    if find_spec("pypdf") is None:
        raise ExtraMissing("`guidance export verify`", "print")
    import pypdf.errors  # noqa: PLC0415  # an optional dependency

    try:
        (content,) = pypdf.PdfReader(io.BytesIO(pdf)).attachments[ATTACHMENT]
    except (pypdf.errors.PyPdfError, KeyError, ValueError, TypeError, AttributeError):
        raise ExportNotGenuine("There is no readable JSON in the file.") from None
    return bytes(content)


def find_export_faults(file: ExportFile, keys: Keys) -> Iterator[str]:
    """Yield faults of signature, statement, history, texts and receipts. What cannot be checked comes last."""
    try:
        yield from _faults(file, keys)
    except (LookupError, TypeError, ValueError, AttributeError):
        yield "the JSON in it is not that of an export"


def _faults(file: ExportFile, keys: Keys) -> Iterator[str]:
    document = file.document
    claimed = {"jti": document["reference"], "notes": document["notes_included"]}
    yield from faults_in_signature(file, keys, kind=EXPORT, claimed=claimed)
    yield from faults_in_concern(document, keys)


def faults_in_signature(file: ExportFile, keys: Keys, *, kind: str, claimed: dict[str, Any]) -> Iterator[str]:
    """Return the faults of the signature. Raise `KeyError` if a claim is missing."""
    signed = _signed_claims(file.signature, keys, kind=kind)
    if signed is None:
        yield "the signature of the file is not one of this service"
    elif signed["file_sha256"] != file.sha256:
        yield "the file was altered since it was signed"
    elif any(signed[name] != value for name, value in claimed.items()):
        yield "the signature of the file is that of another export"


def faults_in_concern(document: dict[str, Any], keys: Keys) -> Iterator[str]:
    """Yield only the signature's fault if there is one. Also raises errors, which `find_export_faults` catches."""
    statement = document["statement"]
    stated = _signed_claims(statement["statement"], keys, kind=EXPORT_STATEMENT)
    if stated is None:
        yield "the statement is not signed by this service"
        return
    yield from _faults_in_statement(document, stated)
    rows = history_of(statement)
    for entry in statement["history"]:
        if SENTENCE in entry:
            yield f"row {entry['number']} of the history was altered"
    yield from _faults_in_history(rows, stated)
    yield from _faults_in_texts(document, stated, replay(RecordedConcern(), rows))
    yield from faults_in_exported_hand_overs(statement["hand_overs"], rows, keys)


def _signed_claims(signature: str, keys: Keys, *, kind: str) -> dict[str, Any] | None:
    try:
        return check_receipt(signature, keys, kind=kind)
    except ReceiptNotGenuine:
        return None


def _faults_in_statement(document: dict[str, Any], stated: dict[str, Any]) -> Iterator[str]:
    statement = document["statement"]
    concern = {name: value for name, value in statement["concern"].items() if name not in NOT_SIGNED}
    shown = {name: statement[name] for name in ("additions", "notes", "by", "at")}
    if concern != stated["concern"] or shown != {name: stated[name] for name in shown}:
        yield "the unencrypted data of the concern differ from what the service signed"
    if document["reference"] != stated["jti"]:
        yield "the statement is about another concern"


def _faults_in_history(rows: list[AuditEntryRow], stated: dict[str, Any]) -> Iterator[str]:
    end = BEFORE_THE_FIRST
    for row in rows:
        if (row.chain, row.number, row.previous_sha256) != (stated["jti"], end.number + 1, end.sha256):
            yield f"the history is broken before row {end.number + 1}"
        if hash_of(row) != row.sha256:
            yield f"row {end.number + 1} of the history was altered"
        end = End(end.number + 1, row.sha256)
    if end != (stated["length"], stated["head_sha256"]):
        yield "the history does not end where the service said"


def _faults_in_texts(document: dict[str, Any], stated: dict[str, Any], recorded: RecordedConcern) -> Iterator[str]:
    texts = {_place_of(each): each for each in document["texts"]}
    places = places_of(stated, notes=document["notes_included"])
    for missing in (each for each in places if each not in texts):
        yield f"{missing or 'the concern'} is missing"
    if len(document["texts"]) > len(texts) or not texts.keys() <= set(places):
        yield "there is an unexpected text"
    for place, text in texts.items():
        if (fault := _fault_in_text(place, text, document["reference"], recorded)) is not None:
            yield f"{place or 'the concern'} {fault}"


def _fault_in_text(
    place: EntryPlace | None, text: dict[str, Any], reference: str, recorded: RecordedConcern
) -> str | None:
    sealed, entry = base64.b64decode(text["sealed"]), recorded.seals.get(place)
    if entry is None or hashlib.sha256(sealed).hexdigest() != entry.sealed_sha256:
        return "is not the sealed text that the history has"
    try:
        opened = parse_json(open_with_file_key(sealed, base64.b64decode(text["file_key"])))
    except NotThatFile:
        return "cannot be decrypted with its key"
    if opened != text["opened"]:
        return "differs from the sealed text"
    if opened["reference"] != reference or MEMBER_OF_KIND[text["kind"]] not in opened:
        return "was sealed for another place"
    return _fault_in_origin(opened, recorded.added.get(place)) if place is not None else None


def _fault_in_origin(opened: dict[str, Any], added: AuditEntryRow | None) -> str | None:
    """Return None for what `opened` lacks."""
    known = {} if added is None else {"received_at": format_utc(added.at), "author": added.client}
    if any(opened.get(name, value) != value for name, value in known.items()):
        return "names another time or author than the history"
    return None


def places_of(stated: Mapping[str, Any], *, notes: bool) -> list[EntryPlace | None]:
    """Return the places of texts: None for the concern's own, then additions, then notes if `notes` is True."""
    counts = {EntryKind.ADDITION: stated["additions"], EntryKind.NOTE: stated["notes"] if notes else 0}
    return [None, *(EntryPlace(kind, number) for kind, count in counts.items() for number in range(1, count + 1))]


def _place_of(text: Mapping[str, Any]) -> EntryPlace | None:
    return None if text["kind"] == "concern" else EntryPlace(EntryKind(text["kind"]), text["number"])


def pinned_keys(document: dict[str, Any], pinned: list[str]) -> Keys:
    """Return the keys in the export whose thumbprint is in `pinned`. Raise `ExportNotGenuine`."""
    try:
        keys = [each for each in document["keys"]["keys"] if thumbprint_of(each) in pinned]
    except (KeyError, TypeError):
        keys = []
    if not keys:
        raise ExportNotGenuine("No key inside the file has that thumbprint.")
    return {"keys": [each | {"kid": thumbprint_of(each)} for each in keys]}


def faults_in_exported_hand_overs(
    hand_overs: Sequence[dict[str, Any]], history: Sequence[AuditEntryRow], keys: dict[str, Any]
) -> Iterator[str]:
    """Compare them with `history`, and receipts with `keys`. Raise `LookupError`, `TypeError` or `ValueError`."""
    rows = []
    for entry in hand_overs:
        came = entry["confirmed_at"]
        times = {"at": dt.datetime.fromisoformat(entry["at"]), "confirmed_at": came and dt.datetime.fromisoformat(came)}
        rows.append(HandOverRow(reference="", **(entry | times)))
        if not _is_ours(entry, history[0].chain, keys):
            yield f"the receipt of hand-over {entry['number']} is not the one that the service signed"
    if acts_of_hand_overs(rows) != recorded_hand_overs(history):
        yield "a hand-over, or a receipt of one, is not the one that the history has"


def _is_ours(entry: dict[str, Any], reference: str, keys: dict[str, Any]) -> bool:
    claims = _signed_claims(entry["receipt"], keys, kind=HAND_OVER)
    return (
        claims is not None and claims["jti"] == reference and all(claims[name] == entry[name] for name in SIGNED_FIELDS)
    )


def export_pdf(printed: dict[str, Any], document: dict[str, Any]) -> bytes:
    """Return a PDF that is yet to be signed. Raise `PdfUnavailable`."""
    return finish_pdf(concern_pdf(printed, attached=json.dumps(document, ensure_ascii=False, indent=1)))


def concern_pdf(printed: dict[str, Any], **inputs: str) -> bytes:
    """Return a PDF/UA-1 and PDF/A-3a, made in memory. Raise `PdfUnavailable`.

    A character that the font lacks is printed as a box. Then the standards are left out, and `printed["boxes"]` says
    so.
    """
    if not pdf_available():
        raise PdfUnavailable
    import typst  # noqa: PLC0415  # an optional dependency, and 20 MB

    options: dict[str, Any] = {
        "input": EXPORT_TEMPLATE,
        "font_paths": fonts(of_host=True),
        "sys_inputs": {"document": json.dumps(printed, ensure_ascii=False)} | inputs,
        "format": "pdf",
    }
    try:
        pdf = typst.compile(pdf_standards=list(TAGGED_FOR_ARCHIVES), **options)
    except typst.TypstError as failure:
        options["sys_inputs"]["boxes"] = "yes" if NO_LETTER in str(failure) else ""
        pdf = typst.compile(**options)
    return bytes(pdf or b"")
