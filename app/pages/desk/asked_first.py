"""Actions that need a confirmation: taking a concern over from someone, and erasing the text of a concern."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from fastapi import Response
from sqlmodel import Session

from app import errors
from app.errors import FaultCode, FieldError
from app.http.negotiation import JSON
from app.http.routes import GuidanceRouter
from app.models.audit.details import sentence_of
from app.models.audit.entry_kinds import EntryKind
from app.models.base import RequestModel
from app.models.desk.actions import Erasure
from app.models.references import find_reference
from app.pages.desk.actions import REFUSED, UNTYPED, Attempt, AttemptDep, desk_forms, lead_back, show_again
from app.pages.desk.inbox import CONCERN_PAGES, ConcernReferenceInPath
from app.pages.frame import DeskRoute, WorkerVisitDep
from app.services.access.people import list_workers
from app.services.audit.audit_log import person_of
from app.services.concerns.entries import measure_entries
from app.services.desk import actions, assignment
from app.services.desk.presented_concerns import reference_of

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)
WRONG_REFERENCE = "Type the reference of this concern again, to be sure that it is the right one"
NO_SUCH_WORKER = "choose someone who can work on concerns, or nobody"


class AssignmentForm(RequestModel):
    """The form that assigns a concern. `person` is a name, or empty to assign the concern to nobody.

    `replaces` is empty in the first form. In the form that confirms or undoes an assignment, `replaces` names the
    person from whom the concern is taken, or is empty for nobody.
    """

    person: str = ""
    replaces: str = ""


class ErasureForm(Erasure):
    """The form that erases the text of a concern. `sure` is True if the form comes from the page that asks to confirm.

    `repeated` is the reference, which the person types again on that page.
    """

    sure: bool = False
    repeated: str = ""


@router.post("/{reference}/assignment")
def assign_on_page(attempt: AttemptDep) -> Response:
    """Assign the concern to a person who can work on concerns, or to nobody. Redirect to the concern's page.

    Record the change in the audit log. If the signed-in person takes the concern over from someone else, first return a
    page that asks for confirmation. If the confirmed form names someone who no longer has the concern, ask again.

    Show the form again with an error if the chosen person cannot work on concerns, or may not open this concern. Also
    show the form again if someone else changed the assignment after the page was shown.
    """
    try:
        typed = attempt.parse(AssignmentForm)
        with Session(attempt.context.engine) as session:
            people, owner = list_workers(session), assignment.find_assignment(session, attempt.reference)
        if typed.person and typed.person not in people:
            raise errors.ValidationFailed([FieldError(("person",), NO_SUCH_WORKER, FaultCode.NOT_LISTED)])
        is_asked_about = typed.person == attempt.visitor.name or typed.replaces
        if not is_asked_about or owner.person in (None, typed.person):
            assignment.assign(attempt.context.writer, attempt.reference, typed.person or None, attempt.actor)
        elif typed.replaces == owner.person:
            _take_from(attempt, owner, typed.person or None)
        else:
            return ask_first(attempt, "take_over", owner=owner, person=typed.person)
    except REFUSED as refusal:
        return show_again(attempt, "assignment", refusal)
    except errors.AssignmentChanged:  # someone changed the assignment after `owner` was read
        with Session(attempt.context.engine) as session:
            owner = assignment.find_assignment(session, attempt.reference)
        return ask_first(attempt, "take_over", owner=owner, person=typed.person)
    return lead_back(attempt)


@router.get("/{reference}/assignment")
def read_assignment_for_page(visit: WorkerVisitDep, reference: ConcernReferenceInPath) -> Response:
    """Record the reading in the audit log, and return who has the concern as JSON, for the desk's JavaScript.

    In the JSON, `person` is null if nobody has the concern. Raise `NoSuchConcern` if the reference is unknown.
    """
    found = visit.context.writer.run(assignment.read_assignment, reference_of(reference), visit.actor)
    return Response(orjson.dumps({"person": found.person}), media_type=JSON)


def _take_from(attempt: Attempt, owner: assignment.Assigned, person: str | None) -> None:
    """Assign the concern to `person`, or to nobody if `person` is None. `owner` is the assignment that is replaced.

    Raise `AssignmentChanged` if there is a newer assignment than `owner`.
    """
    actor = replace(attempt.actor, seen=None)
    assignment.assign(
        attempt.context.writer, attempt.reference, person, actor, lambda version: version == owner.version
    )


@router.post("/{reference}/erasure")
def erase_on_page(attempt: AttemptDep) -> Response:
    """Erase the text of the concern permanently, record this in the audit log, and redirect to the concern's page.

    First return a page that says what is erased and what is kept, and that asks the person to type the reference again.
    If the settings demand two people, the confirmed form of the first person only records the request to erase. If the
    concern cannot be erased, show the form again with an error.
    """
    try:
        wanted = attempt.parse(ErasureForm)
        if not wanted.sure or find_reference(wanted.repeated) != attempt.reference:
            return _ask_about_erasure(attempt, is_wrong=wanted.sure)
        by_two = attempt.context.settings.two_people_erase
        actions.erase_for_good(attempt.context.desk, attempt.reference, wanted, attempt.actor, by_two=by_two)
    except errors.SecondEraserNeeded:
        return lead_back(attempt)
    except REFUSED as refusal:
        return show_again(attempt, "erasure", refusal)
    return lead_back(attempt)


def _ask_about_erasure(attempt: Attempt, *, is_wrong: bool) -> Response:
    """Return the page that asks for confirmation of an erasure.

    If `is_wrong` is True, the page says that the person did not type the reference again, or typed another one.
    """
    with Session(attempt.context.engine) as session:
        request = actions.find_erasure_request(session, attempt.reference)
    me, asked_by = attempt.visitor.name, None if request is None else person_of(request.client)
    is_first = attempt.context.settings.two_people_erase and not actions.is_second_person(request, attempt.actor)
    faults = {"repeated": WRONG_REFERENCE} if is_wrong else {}
    return ask_first(
        attempt,
        "erasure",
        faults,
        texts=_count_texts(attempt),
        is_first=is_first,
        asked_by=asked_by if asked_by != me else None,
        reason_of_first=sentence_of(request) if request is not None else "",
    )


def _count_texts(attempt: Attempt) -> dict[str, int]:
    """Return the number of the concern's additions, notes, labels and messages, by kind."""
    with Session(attempt.context.engine) as session:
        return {kind.value: measure_entries(session, kind, attempt.reference)[0] for kind in EntryKind}


def ask_first(attempt: Attempt, form: str, faults: Mapping[str, str] = UNTYPED, **values: Any) -> Response:
    """Return the page that asks for confirmation of the action `form`. `values` are further template variables.

    The page repeats the form with the posted input, and with the error of each field in `faults`. The repeated form has
    a further field, `sure` or `replaces`, which says that the person has been asked.
    """
    typed = {name: attempt.posted.one(name) for name in attempt.posted.fields}
    forms = desk_forms(attempt, attempt.reference, attempt.seen or 0, typed=typed, faults=faults, place=attempt.place)
    status = errors.ValidationFailed.status if faults else 200
    return attempt.page("desk_ask.html", status=status, form=form, forms=forms, now=attempt.now, **values)
