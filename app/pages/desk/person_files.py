"""The page on which a worker gathers the concerns that name one person into one signed file.

The browser finds and decrypts the concerns, marks passages that name other people, and makes the file. For each
concern, this service records one opening in the audit log. At the end it signs the digest of the file.
"""

from typing import Any

import orjson
from fastapi import Response

from app.http.negotiation import JSON
from app.models.desk.actions import MAX_TOGETHER
from app.models.desk.exports import NewPersonFile
from app.models.guides.edition_keys import EditionKey
from app.pages.desk.actions import AttemptDep, accepts_unencrypted_text
from app.pages.desk.exports import labelled_facts
from app.pages.desk.exports_in_browser import NOTES, export_material
from app.pages.desk.referral import layout_of
from app.pages.desk.unsent import key_response
from app.pages.frame import DeskRouter, Visit, WorkerVisitDep
from app.pages.posted_forms import SubmittedFormDep, parse_fields
from app.services.desk import exports
from app.services.desk.person_files import record_person_file
from app.services.guides.pdf import find_font_file

router = DeskRouter()
PLACE = "person-file"
"""Path of the page, and the name under which the browser stores what is typed."""


@router.get(f"/{PLACE}")
def read_person_file_page(visit: WorkerVisitDep) -> Response:
    """Nothing is recorded, because the page has no text."""
    context = visit.context
    return visit.page(
        "desk_person_file.html",
        most=MAX_TOGETHER,
        recipients=" ".join(map(str, context.submissions.sealer.recipients)),
        takes_clear=accepts_unencrypted_text(context),
        has_font=find_font_file() is not None,
    )


@router.post(f"/{PLACE}/typed")
def open_typed_on_person_file_page(visit: WorkerVisitDep, posted: SubmittedFormDep) -> Response:
    return key_response(visit, PLACE, posted)


@router.post("/concerns/{reference}/file-texts")
def give_texts_for_file(attempt: AttemptDep) -> Response:
    """Record one opening."""
    context, notes = attempt.context, attempt.posted.one("notes") == NOTES
    signed = exports.sign_export(context.desk, attempt.reference, attempt.actor, notes_of_file=notes)
    places = exports.places_of({"additions": signed.additions, "notes": signed.notes}, notes=notes)
    material = export_material(context, signed, places)
    shown = {
        "facts": _facts(attempt, material),
        "layout": layout_of(context, signed.concern.guide, signed.concern.edition),
    }
    return Response(orjson.dumps(material | shown), media_type=JSON)


def _facts(visit: Visit, material: dict[str, Any]) -> list[tuple[str, str]]:
    concern, context = material["statement"]["concern"], visit.context
    outcomes = context.reference_data.get_code_list("outcome").labels
    title = context.contents(EditionKey(concern["guide"], concern["edition"])).title
    return list(labelled_facts(concern, outcomes, title))


@router.post(f"/{PLACE}/record")
def record_person_file_on_page(visit: WorkerVisitDep, posted: SubmittedFormDep) -> Response:
    """Record the file in each concern."""
    fields = {
        "references": tuple(posted.many("reference")),
        "file_sha256": posted.one("file_sha256"),
        "notes": posted.one("notes") == NOTES,
        "purpose": posted.one("purpose"),
    }
    person_file = parse_fields(NewPersonFile, fields)
    for each in person_file.references:
        visit.openable_reference(each)
    signature = visit.context.writer.run(record_person_file, person_file, visit.actor, visit.context.signer)
    return Response(orjson.dumps({"signature": signature}), media_type=JSON)
