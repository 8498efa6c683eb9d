"""The export of a concern by a form, where this service opens concerns: one signed file, as the command makes it."""

import datetime as dt
import json

from fastapi import Response

from app.models.desk.exports import ExportStatement, NewExport
from app.models.entries import EntryKind, EntryPlace
from app.models.reference_responses import JsonWebKeySet
from app.pages.desk.export_page import printed_export
from app.pages.desk.sealed_downloads import AS_FILE
from app.presenters.export_pdf import export_pdf
from app.presenters.exports import export_statement
from app.services.concerns.hand_over_package import sha256_of
from app.services.desk import exports
from app.services.desk.exports import SealedTexts, add_signature, build_export
from app.services.desk.opening import read_sealed_concern
from app.services.entries import read_sealed_entry
from app.store.disclosures import Actor
from app.store.editions import EditionKey
from app.web.context import AppContext

PDF_MEDIA = "application/pdf"


def export_response(context: AppContext, reference: str, actor: Actor, now: dt.datetime, *, notes: bool) -> Response:
    """Return the concern as one PDF with JSON inside, which is on the record and signed before it leaves.

    Raises `UnsealingUnavailable`, `SealedTextMisplaced` or `PdfUnavailable`.
    """
    start = exports.begin_export(context.writer, reference, actor=actor, at=now)
    signed = export_statement(context.engine, context.signer, start, at=now)
    texts = _read_texts(context, signed, notes=notes)
    keys = json.loads(JsonWebKeySet(keys=context.signer.jwks).model_dump_json())
    document = build_export(json.loads(signed.model_dump_json()), texts, context.unsealer, keys, notes=notes)
    content = context.contents(EditionKey(signed.concern.guide, signed.concern.edition))
    printed = printed_export(document, content, context.reference_data, council=context.settings.council_name)
    pdf = export_pdf(printed, document)
    export, signer = NewExport(file_sha256=sha256_of(pdf), notes=notes), context.signer
    recorded = exports.record_export(context.writer, reference, export, signer=signer, actor=actor, at=now)
    headers = {"Content-Disposition": AS_FILE.format(f"{reference}.pdf")}
    return Response(add_signature(pdf, recorded.signature), media_type=PDF_MEDIA, headers=headers)


def _read_texts(context: AppContext, signed: ExportStatement, *, notes: bool) -> SealedTexts:
    """Return every sealed text that the export is to have."""
    engine, reference = context.engine, signed.concern.reference
    counts = {EntryKind.ADDITION: signed.additions, EntryKind.NOTE: signed.notes if notes else 0}
    places = [EntryPlace(kind, number) for kind, count in counts.items() for number in range(1, count + 1)]
    return {None: read_sealed_concern(engine, reference)} | {
        place: read_sealed_entry(engine, reference, place) for place in places
    }
