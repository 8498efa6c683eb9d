"""The export of a concern that this service cannot decrypt: the browser makes the file, and this service signs.

This service gives the sealed texts and a signed statement, records the digest of the file, and signs the digest.
"""

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
from app.http.routes import GuidanceRouter
from app.models.audit.entry_kinds import EntryPlace
from app.models.desk.exports import ExportStatement, NewExport
from app.models.operations.health import JsonWebKeySet
from app.pages.desk.actions import AttemptDep
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.frame import DeskRoute
from app.services.concerns.entries import read_sealed
from app.services.desk import exports

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)
NOTES = "yes"
"""The value of the field `notes` of an export with the desk's notes."""


@router.post("/{reference}/export-statement")
def give_export_statement(attempt: AttemptDep) -> Response:
    """Record in the audit log that an export begins, and return what the browser needs for the file, as JSON.

    The JSON has the signed statement, the sealed texts, and the public keys of this service. A second audit log entry
    records which sealed texts are handed out. Raise `NoSuchConcern` if the reference is unknown, or `ConcernErased` if
    the concern was erased.
    """
    context, reference, notes = attempt.context, attempt.reference, attempt.posted.one("notes") == NOTES
    signed = exports.sign_export(context.desk, reference, attempt.visitor.actor)
    places = exports.places_of({"additions": signed.additions, "notes": signed.notes}, notes=notes)
    context.writer.run(exports.record_texts_given, reference, places, attempt.visitor.actor)
    return Response(orjson.dumps(export_material(context, signed, places)), media_type=JSON)


def export_material(
    context: AppContext, signed: ExportStatement, places: Sequence[EntryPlace | None]
) -> dict[str, Any]:
    """Return what the browser needs to make a file: the statement `signed`, the sealed texts, and the public keys.

    `places` lists the texts: None stands for the concern's own text. If this service can decrypt a text, add the key
    that decrypts only that text. The caller must first record in the audit log that the texts are handed out. Raise
    `ConcernErased` if the concern was erased after that.
    """
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
    """Record in the audit log the digest of the file that the browser made. Return this service's signature as JSON.

    Raise `NoSuchConcern` if the reference is unknown, `ConcernErased` if the concern was erased, or `ValidationFailed`
    if the digest is not valid.
    """
    fields = {"file_sha256": attempt.posted.one("file_sha256"), "notes": attempt.posted.one("notes") == NOTES}
    wanted, context = attempt.parse(NewExport, fields), attempt.context
    entry = context.writer.run(exports.record_export, attempt.reference, wanted, attempt.visitor.actor, context.signer)
    return Response(orjson.dumps({"signature": entry.signature}), media_type=JSON)
