"""Verifying an export offline: every signature, every row of the history, every sealed text and every word."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from app.age.files import open_with_file_key
from app.age.keys import NotThatFile
from app.errors import ExportNotGenuine, ReceiptNotGenuine
from app.models.base import format_utc
from app.models.desk.added_texts import MEMBER_OF_KIND, AddedKind, AddedText
from app.models.desk.disclosure_tables import DisclosureRow
from app.models.desk.exports import NOT_SIGNED
from app.models.desk.recorded import RecordedConcern, replay
from app.services.concerns.receipt_signing import EXPORT, EXPORT_STATEMENT, check_receipt, thumbprint_of
from app.services.desk.export_document import history_of
from app.services.desk.export_files import ExportFile
from app.services.desk.export_hand_overs import faults_in_exported_hand_overs
from app.store.disclosures import FIRST_PREVIOUS_SHA256, hash_of

Keys = dict[str, Any]


def find_export_faults(file: ExportFile, keys: Keys) -> Iterator[str]:
    """Yield every fault of the export, checked with the service's published keys (JWKS)."""
    try:
        yield from _faults(file, keys)
    except (KeyError, TypeError, ValueError, AttributeError):
        yield "the JSON in it is not that of an export"


def _faults(file: ExportFile, keys: Keys) -> Iterator[str]:
    document, statement = file.document, file.document["statement"]
    signed = _claims(file.signature, keys, kind=EXPORT)
    stated = _claims(statement["statement"], keys, kind=EXPORT_STATEMENT)
    if signed is None:
        yield "the signature of the file is not one of this service"
    elif signed["file_sha256"] != file.sha256:
        yield "the file was altered since it was signed"
    elif (signed["jti"], signed["notes"]) != (document["reference"], document["notes_included"]):
        yield "the signature of the file is that of another export"
    if stated is None:
        yield "the statement is not signed by this service"
        return
    yield from _faults_in_statement(document, stated)
    rows = history_of(statement)
    yield from _faults_in_history(rows, stated)
    yield from _faults_in_texts(document, stated, replay(rows))
    yield from faults_in_exported_hand_overs(statement["hand_overs"], rows, keys)


def _claims(signature: str, keys: Keys, *, kind: str) -> dict[str, Any] | None:
    try:
        return check_receipt(signature, keys, kind=kind)
    except ReceiptNotGenuine:
        return None


def _faults_in_statement(document: dict[str, Any], stated: dict[str, Any]) -> Iterator[str]:
    statement = document["statement"]
    concern = {name: value for name, value in statement["concern"].items() if name not in NOT_SIGNED}
    shown = {name: statement[name] for name in ("additions", "notes", "by", "at")}
    if concern != stated["concern"] or shown != {name: stated[name] for name in shown}:
        yield "what is in clear about the concern is not what the service signed"
    if document["reference"] != stated["jti"]:
        yield "the statement is about another concern"


def _faults_in_history(rows: list[DisclosureRow], stated: dict[str, Any]) -> Iterator[str]:
    before = FIRST_PREVIOUS_SHA256
    for number, row in enumerate(rows, start=1):
        if (row.chain, row.number, row.previous_sha256) != (stated["jti"], number, before):
            yield f"the history is broken before row {number}"
        if hash_of(row) != row.sha256:
            yield f"row {number} of the history was altered"
        before = row.sha256
    if (len(rows), before) != (stated["length"], stated["head_sha256"]):
        yield "the history does not end where the service said"


def _faults_in_texts(document: dict[str, Any], stated: dict[str, Any], recorded: RecordedConcern) -> Iterator[str]:
    texts = {_place_of(each): each for each in document["texts"]}
    wanted: list[AddedText | None] = [None, *_numbered(AddedKind.ADDITION, stated["additions"])]
    if document["notes_included"]:
        wanted += _numbered(AddedKind.NOTE, stated["notes"])
    for missing in (each for each in wanted if each not in texts):
        yield f"{missing or 'the concern'} is missing"
    if len(document["texts"]) > len(texts) or not texts.keys() <= set(wanted):
        yield "it has a text too many"
    for place, text in texts.items():
        if (fault := _fault_in_text(place, text, document["reference"], recorded)) is not None:
            yield f"{place or 'the concern'} {fault}"


def _fault_in_text(
    place: AddedText | None, text: dict[str, Any], reference: str, recorded: RecordedConcern
) -> str | None:
    sealed, entry = base64.b64decode(text["sealed"]), recorded.seals.get(place)
    if entry is None or hashlib.sha256(sealed).hexdigest() != entry.sealed_sha256:
        return "is not the sealed text that the history has"
    try:
        opened = json.loads(open_with_file_key(sealed, base64.b64decode(text["file_key"])))
    except NotThatFile:
        return "is not opened by its key"
    if opened != text["opened"]:
        return "has other words than those that were sealed"
    if opened["reference"] != reference or MEMBER_OF_KIND[text["kind"]] not in opened:
        return "was sealed for another place"
    return _fault_in_origin(opened, recorded.added.get(place)) if place is not None else None


def _fault_in_origin(opened: dict[str, Any], added: DisclosureRow | None) -> str | None:
    """Return the fault of a text that says itself when it came or who wrote it, where the history says otherwise."""
    known = {} if added is None else {"received_at": format_utc(added.at), "author": added.client}
    if any(opened.get(name, value) != value for name, value in known.items()):
        return "names another time or author than the history"
    return None


def _numbered(kind: AddedKind, count: int) -> list[AddedText]:
    return [AddedText(kind, number) for number in range(1, count + 1)]


def _place_of(text: Mapping[str, Any]) -> AddedText | None:
    return None if text["kind"] == "concern" else AddedText(AddedKind(text["kind"]), text["number"])


def pinned_keys(document: dict[str, Any], pinned: list[str]) -> Keys:
    """Return those keys inside the export whose thumbprint is pinned. Raises `ExportNotGenuine` if there is none."""
    try:
        keys = [each for each in document["keys"]["keys"] if thumbprint_of(each) in pinned]
    except (KeyError, TypeError):
        keys = []
    if not keys:
        raise ExportNotGenuine("No key inside the file has that thumbprint.")
    return {"keys": [each | {"kid": thumbprint_of(each)} for each in keys]}
