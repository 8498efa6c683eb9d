"""The export of a concern that this service cannot decrypt: the browser makes the file, and this service signs."""

import base64
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import orjson
from fastapi import Response

from app.errors import UnsealingUnavailable
from app.http.context import AppContext
from app.http.negotiation import JSON
from app.http.responses import json_bytes
from app.models.audit.entry_kinds import EntryPlace
from app.models.desk.exports import ExportStatement, NewExport
from app.models.operations.health import JsonWebKeySet
from app.pages.desk.actions import AttemptDep
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.frame import DeskRouter
from app.services.concerns.entries import read_sealed
from app.services.desk import exports

router = DeskRouter(CONCERN_PAGES)
NOTES = "yes"


@router.post("/{reference}/export-statement")
def give_export_statement(attempt: AttemptDep) -> Response:
    """Record the export, and return JSON with the sealed texts and public keys. Two entries are recorded."""
    context, reference, notes = attempt.context, attempt.reference, attempt.posted.one("notes") == NOTES
    signed = exports.sign_export(context.desk, reference, attempt.visitor.actor)
    places = exports.places_of({"additions": signed.additions, "notes": signed.notes}, notes=notes)
    context.writer.run(exports.record_texts_given, reference, places, attempt.visitor.actor)
    return Response(orjson.dumps(export_material(context, signed, places)), media_type=JSON)


def export_material(
    context: AppContext, signed: ExportStatement, places: Sequence[EntryPlace | None]
) -> dict[str, Any]:
    """Record the reading first. A text that this service can decrypt comes with a key, which decrypts no other."""
    reference = signed.concern.reference
    return {
        "statement": orjson.loads(json_bytes(signed)),
        "texts": [_text(context, place, read_sealed(context.engine, reference, place)) for place in places],
        "keys": orjson.loads(json_bytes(JsonWebKeySet(keys=context.signer.jwks))),
    }


def _text(context: AppContext, place: EntryPlace | None, sealed: bytes) -> dict[str, Any]:
    kind, encode = "concern" if place is None else place.kind.value, base64.b64encode
    text = {"kind": kind, "number": place and place.number, "sealed": encode(sealed).decode()}
    if context.unsealer.can_unseal:
        with suppress(UnsealingUnavailable):
            text["file_key"] = encode(context.unsealer.find_file_key(sealed)).decode()
    return text


@router.post("/{reference}/export-record")
def record_export_on_page(attempt: AttemptDep) -> Response:
    """Sign the digest of the file that the browser made, and record it."""
    fields = {"file_sha256": attempt.posted.one("file_sha256"), "notes": attempt.posted.one("notes") == NOTES}
    new_export, context = attempt.parse(NewExport, fields), attempt.context
    entry = context.writer.run(
        exports.record_export, attempt.reference, new_export, attempt.visitor.actor, context.signer
    )
    return Response(orjson.dumps({"signature": entry.signature}), media_type=JSON)
