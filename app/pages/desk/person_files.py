"""The pages of requests for the file of one person, on which workers gather the concerns that name the person.

The browser finds and decrypts the concerns, marks passages that name other people, and makes the file. For each
concern, this service records one opening in the audit log. At the end it signs the digest of the file.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import orjson
from fastapi import Path, Response

from app.errors import ValidationFailed
from app.http.negotiation import JSON
from app.http.params import IN_PLAIN_DIGITS
from app.models.audit.details import FileStepDetails
from app.models.audit.rows import DeskAct
from app.models.base import MAX_NUMBER
from app.models.desk.actions import MAX_TOGETHER
from app.models.desk.exports import FileAsker, NewFileRequest, NewPersonFile
from app.models.guides.edition_keys import EditionKey
from app.pages.desk.actions import UNTYPED, AttemptDep, accepts_unencrypted_text
from app.pages.desk.exports import labelled_facts
from app.pages.desk.exports_in_browser import NOTES, export_material
from app.pages.desk.referral import layout_of
from app.pages.desk.unsent import key_response
from app.pages.frame import DeskRouter, Visit, WorkerVisitDep, lead_to
from app.pages.posted_forms import SubmittedFormDep, parse_fields
from app.services.access.sign_in import PATH
from app.services.clock.working_days import LONDON
from app.services.desk import exports
from app.services.desk.file_requests import add_request, get_request, read_requests, take_step
from app.services.desk.person_files import record_person_file
from app.services.guides.pdf import find_font_file

router = DeskRouter()
PLACE = "person-file"
"""Path of the pages, and the name under which the browser stores what is typed."""
ASKERS = {
    FileAsker.PERSON: "The person",
    FileAsker.ON_BEHALF: "Someone for them, such as a parent or a solicitor",
    FileAsker.COURT: "A court",
}
NOTHING_TYPED = dict.fromkeys(("asker", "about", "came_on", "due"), "")
MOST_ENDED = 20
Number = Annotated[int, Path(ge=1, le=MAX_NUMBER), IN_PLAIN_DIGITS]


@router.get(f"/{PLACE}")
def read_file_requests(visit: WorkerVisitDep) -> Response:
    """Nothing is recorded, because no request names anybody."""
    return _requests_page(visit, NOTHING_TYPED | {"came_on": str(visit.now.astimezone(LONDON).date())})


def _requests_page(visit: Visit, typed: Mapping[str, str], faults: Mapping[str, str] = UNTYPED) -> Response:
    requests = list(visit.read(read_requests).values())
    is_open = [each for each in requests if each.ended is None]
    return visit.page(
        "desk_person_files.html",
        status=422 if faults else 200,
        requests=sorted(is_open, key=lambda each: each.asked.due),
        ended=[each for each in reversed(requests) if each.ended is not None][:MOST_ENDED],
        today=visit.now.astimezone(LONDON).date(),
        typed=typed,
        faults=faults,
        **_of_form(visit),
    )


def _of_form(visit: Visit) -> dict[str, Any]:
    context = visit.context
    recipients = " ".join(map(str, context.submissions.sealer.recipients))
    return {"askers": ASKERS, "recipients": recipients, "takes_clear": accepts_unencrypted_text(context)}


@router.post(f"/{PLACE}")
def add_request_on_page(visit: WorkerVisitDep, posted: SubmittedFormDep) -> Response:
    typed = {name: posted.one(name).strip() for name in NOTHING_TYPED}
    days = visit.context.submissions.receipts.duty_hours.working_days
    try:
        new = parse_fields(NewFileRequest, {name: text for name, text in typed.items() if text})
        number = visit.context.writer.run(add_request, new, days, visit.actor)
    except ValidationFailed as refusal:
        return _requests_page(visit, typed, {str(each.at[0]): each.detail for each in refusal.faults})
    return lead_to(f"{PATH}/{PLACE}/{number}")


@router.get(f"/{PLACE}/{{number}}")
def read_file_request(visit: WorkerVisitDep, number: Number) -> Response:
    return _request_page(visit, number)


def _request_page(
    visit: Visit, number: int, faults: Mapping[str, str] = UNTYPED, typed: Mapping[str, str] = UNTYPED
) -> Response:
    request = visit.read(get_request, number)
    file = FileStepDetails(request=number, file_sha256=request.file_sha256)
    return visit.page(
        "desk_person_file.html",
        status=422 if faults else 200,
        request=request,
        not_checked=request.refusal(DeskAct.FILE_CHECKED, visit.actor.client, file),
        not_given=request.refusal(DeskAct.FILE_GIVEN, visit.actor.client, file),
        today=visit.now.astimezone(LONDON).date(),
        faults=faults,
        reason=typed.get("reason", ""),
        most=MAX_TOGETHER,
        has_font=find_font_file() is not None,
        **_of_form(visit),
    )


@router.post(f"/{PLACE}/typed")
def open_typed_on_requests_page(visit: WorkerVisitDep, posted: SubmittedFormDep) -> Response:
    return key_response(visit, PLACE, posted)


@router.post(f"/{PLACE}/{{number}}/typed")
def open_typed_on_request_page(visit: WorkerVisitDep, posted: SubmittedFormDep, number: Number) -> Response:
    return key_response(visit, f"{PLACE}/{number}", posted)


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


@router.post(f"/{PLACE}/{{number}}/record")
def record_person_file_on_page(visit: WorkerVisitDep, posted: SubmittedFormDep, number: Number) -> Response:
    """Record the file in the request and in each concern."""
    fields = {
        "references": tuple(posted.many("reference")),
        "file_sha256": posted.one("file_sha256"),
        "notes": posted.one("notes") == NOTES,
    }
    person_file = parse_fields(NewPersonFile, fields)
    for each in person_file.references:
        visit.openable_reference(each)
    signature = visit.context.writer.run(record_person_file, number, person_file, visit.actor, visit.context.signer)
    return Response(orjson.dumps({"signature": signature}), media_type=JSON)


@router.post(f"/{PLACE}/{{number}}/{{step}}")
def take_step_on_page(
    visit: WorkerVisitDep, posted: SubmittedFormDep, number: Number, step: Literal["checked", "given", "refused"]
) -> Response:
    """Lead back to the request, or show it with why the step was not taken."""
    said = {name: posted.one(name).strip() for name in ("file_sha256", "reason")}
    try:
        visit.context.writer.run(take_step, number, DeskAct(f"file_{step}"), visit.actor, **said)
    except ValidationFailed as refusal:
        return _request_page(visit, number, {"": refusal.faults[0].detail}, said)
    return lead_to(f"{PATH}/{PLACE}/{number}")
