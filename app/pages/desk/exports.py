"""The export of a concern from the desk's pages, if this service can decrypt it: one signed PDF with JSON inside."""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import Response

from app.http.negotiation import PDF_TYPE
from app.http.responses import download
from app.models.audit.entry_kinds import EntryKind, EntryPlace
from app.models.audit.rows import AuditEntryRow
from app.models.desk.exports import NewExport
from app.models.guides.edition_keys import EditionKey
from app.models.guides.editions import EditionContent
from app.models.operations.health import JsonWebKeySet
from app.pages.audit.entry_words import act_lines
from app.pages.concerns.form_answers import printed_section
from app.pages.desk.referral import sections_of
from app.pages.frame import Visit
from app.pages.text_format import code_label, date_and_time, deadline
from app.services.audit.audit_log import person_of
from app.services.audit.replay import RecordedConcern, replay
from app.services.concerns.entries import read_sealed
from app.services.desk import exports
from app.services.desk.exports import add_signature, build_export, export_pdf, history_of, places_of
from app.services.guides.reference_data import ReferenceData

LONG_DIGEST = re.compile(r"\b((?:age1)?[0-9a-z]{12})[0-9a-z]{46,52}\b")
DATES = {
    "received_at": "Received",
    "acknowledge_by": "Acknowledge by",
    "acknowledged_at": "Acknowledged",
    "reopened_at": "Reopened",
}


def printed_export(
    document: dict[str, Any], content: EditionContent, reference_data: ReferenceData, *, council: str
) -> dict[str, Any]:
    """`content` has the text of the items that the concern names."""
    statement, texts = document["statement"], document["texts"]
    opened = {kind: [each for each in texts if each["kind"] == kind] for kind in ("concern", "addition", "note")}
    answers = opened["concern"][0]["opened"]["submission"]
    history = history_of(statement)
    outcomes = reference_data.get_code_list("outcome").labels
    added = replay(RecordedConcern(), history).added
    return {
        "council": council,
        "title": f"Concern {document['reference']}",
        "footer": f"Concern {document['reference']}. Confidential: about a child.",
        "lang": "en",
        "made": f"Exported {_in_words(statement['at'])}, by {person_of(statement['by'])}.",
        "boxes": "The font lacks some letters: a box stands for each. The attached concern.json has the whole text.",
        "facts": list(labelled_facts(statement["concern"], outcomes, content.title)),
        "sections": [printed_section(each) for each in sections_of(answers, content, reference_data)],
        "additions": [
            _addition(each, added.get(EntryPlace(EntryKind.ADDITION, each["number"]))) for each in opened["addition"]
        ],
        "notes": [_note(each, added.get(EntryPlace(EntryKind.NOTE, each["number"]))) for each in opened["note"]],
        "notes_included": document["notes_included"],
        "hand_overs": [_hand_over(each) for each in statement["hand_overs"]],
        "history": [  # digests and keys are shortened: the JSON inside has them whole
            [
                str(line.act.number),
                date_and_time(line.act.at),
                line.who,
                line.what,
                LONG_DIGEST.sub(r"\1...", line.detail),
            ]
            for line in act_lines(history, outcomes)
        ],
        "keys": [each["kid"] for each in document["keys"]["keys"]],
    }


def labelled_facts(concern: dict[str, Any], outcomes: Mapping[str, str], title: str) -> Iterator[tuple[str, str]]:
    yield "State", code_label(concern["state"]) + (", on hold" if concern["held"] else "")
    yield "Immediate danger", code_label(concern["immediate_danger"])
    if concern.get("received_by"):
        yield "Came", f"{code_label(concern['channel'])}, {_in_words(concern['came_at'])}"
        yield "Written down by", person_of(concern["received_by"])
    for name, label in DATES.items():
        if concern[name] is not None:
            in_words = deadline if name == "acknowledge_by" else date_and_time
            yield label, in_words(dt.datetime.fromisoformat(concern[name]))
    if concern["closed_at"] is not None:
        yield "Closed", f"{_in_words(concern['closed_at'])}: {outcomes.get(concern['outcome'], concern['outcome'])}"
    yield "Assigned to", concern["assigned_to"] or "nobody"
    yield "Guide", f"{title}, edition {concern['edition']}"
    if concern["test"]:
        yield "Test", "This is a test: it is not about a real child"


def _addition(text: dict[str, Any], written: AuditEntryRow | None) -> dict[str, str]:
    addition = text["opened"]["addition"]
    danger = addition.get("immediate_danger")
    words = addition["concern"]["narrative"]
    heading = f"Addition {text['number']}{f', {date_and_time(written.at)}' if written is not None else ''}"
    return {"heading": heading, "text": words if danger is None else f"Immediate danger: {code_label(danger)}\n{words}"}


def _note(text: dict[str, Any], written: AuditEntryRow | None) -> dict[str, str]:
    of_history = f", {date_and_time(written.at)}, by {person_of(written.client)}" if written is not None else ""
    return {"heading": f"Note {text['number']}{of_history}", "text": text["opened"]["note"]["text"]}


def _hand_over(entry: dict[str, Any]) -> str:
    came = "not yet" if entry["confirmed_at"] is None else _in_words(entry["confirmed_at"])
    return f"{_in_words(entry['at'])}, to {entry['body']}: {entry['reason']} Their receipt came: {came}."


def _in_words(moment: str) -> str:
    return date_and_time(dt.datetime.fromisoformat(moment))


def export_response(visit: Visit, reference: str, *, notes: bool) -> Response:
    """Record two entries: when the export begins, and its digest.

    Raise `NoSuchConcern`, `ConcernErased`, `UnsealingUnavailable`, `PdfUnavailable` and `SealedTextMisplaced`.
    """
    context, actor = visit.context, visit.actor
    signed = exports.sign_export(context.desk, reference, actor)
    statement: dict[str, Any] = json.loads(signed.model_dump_json())
    places = places_of(statement, notes=notes)
    texts = {place: read_sealed(context.engine, reference, place) for place in places}
    keys = json.loads(JsonWebKeySet(keys=context.signer.jwks).model_dump_json())
    document = build_export(statement, texts, context.unsealer, keys, notes=notes)
    content = context.contents(EditionKey(signed.concern.guide, signed.concern.edition))
    printed = printed_export(document, content, context.reference_data, council=context.settings.council_name)
    pdf = export_pdf(printed, document)
    export, signer = NewExport(file_sha256=hashlib.sha256(pdf).hexdigest(), notes=notes), context.signer
    recorded = context.writer.run(exports.record_export, reference, export, actor, signer)
    return download(add_signature(pdf, recorded.signature), f"{reference}.pdf", PDF_TYPE)
