"""Actions that need a confirmation: taking a concern over from someone, and erasing the text of a concern."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson
from fastapi import Response

from app import errors
from app.errors import FaultCode, FieldError
from app.http.negotiation import JSON
from app.models.audit.details import sentence_of
from app.models.audit.entry_kinds import EntryKind
from app.models.base import RequestModel
from app.models.desk.actions import Erasure
from app.models.references import find_reference
from app.pages.desk.actions import UNTYPED, Attempt, AttemptDep, concern_form, desk_forms
from app.pages.desk.inbox import CONCERN_PAGES, ConcernReferenceInPath
from app.pages.frame import DeskRouter, WorkerVisitDep
from app.services.access.people import list_workers
from app.services.audit.audit_log import person_of
from app.services.concerns.entries import measure_entries
from app.services.desk import actions, assignment
from app.services.desk.presented_concerns import reference_of

router = DeskRouter(CONCERN_PAGES)
WRONG_REFERENCE = "Type the reference of this concern again, to be sure that it is the right one"
NO_SUCH_WORKER = "choose someone who can work on concerns, or nobody"


class AssignmentForm(RequestModel):
    """An empty `person` is nobody. `replaces` is from whom the concern is taken, when confirmed or undone."""

    person: str = ""
    replaces: str = ""


class ErasureForm(Erasure):
    """`sure` and `repeated`, the reference typed again, come from the page that asks."""

    sure: bool = False
    repeated: str = ""


@concern_form(router, "assignment", "assignment")
def assign_on_page(attempt: AttemptDep) -> Response | None:
    """Ask before taking the concern from someone else, and ask again if it has changed hands since."""
    typed = attempt.parse(AssignmentForm)
    people, owner = attempt.read(list_workers), attempt.read(assignment.find_assignment, attempt.reference)
    if typed.person and typed.person not in people:
        raise errors.ValidationFailed([FieldError(("person",), NO_SUCH_WORKER, FaultCode.NOT_LISTED)])
    is_asked_about = typed.person == attempt.visitor.name or typed.replaces
    try:
        if not is_asked_about or owner.person in (None, typed.person):
            assignment.assign(attempt.context.writer, attempt.reference, typed.person or None, attempt.actor)
        elif typed.replaces == owner.person:
            actor, is_same = replace(attempt.actor, seen=None), lambda version: version == owner.version
            assignment.assign(attempt.context.writer, attempt.reference, typed.person or None, actor, is_same)
        else:
            return ask_first(attempt, "take_over", owner=owner, person=typed.person)
    except errors.ChangedMeanwhile:
        raise
    except errors.AssignmentChanged:  # someone changed the assignment after `owner` was read
        owner = attempt.read(assignment.find_assignment, attempt.reference)
        return ask_first(attempt, "take_over", owner=owner, person=typed.person)
    return None


@router.get("/{reference}/assignment")
def read_assignment_for_page(visit: WorkerVisitDep, reference: ConcernReferenceInPath) -> Response:
    """Return JSON for the desk's script."""
    found = visit.context.writer.run(assignment.read_assignment, reference_of(reference), visit.actor)
    return Response(orjson.dumps({"person": found.person}), media_type=JSON)


@concern_form(router, "erasure", "erasure")
def erase_on_page(attempt: AttemptDep) -> Response | None:
    """Ask for the reference to be typed again. If two people must erase, the first one only requests erasure."""
    erasure = attempt.parse(ErasureForm)
    if not erasure.sure or find_reference(erasure.repeated) != attempt.reference:
        return _ask_about_erasure(attempt, is_wrong=erasure.sure)
    by_two = attempt.context.settings.two_people_erase
    with suppress(errors.SecondEraserNeeded):
        actions.erase_for_good(attempt.context.desk, attempt.reference, erasure, attempt.actor, by_two=by_two)
    return None


def _ask_about_erasure(attempt: Attempt, *, is_wrong: bool) -> Response:
    """`is_wrong`: the reference was not typed again, or another was."""
    request = attempt.read(actions.find_erasure_request, attempt.reference)
    me, asked_by = attempt.visitor.name, None if request is None else person_of(request.client)
    is_first = attempt.context.settings.two_people_erase and not actions.is_second_person(request, attempt.actor)
    faults = {"repeated": WRONG_REFERENCE} if is_wrong else {}
    return ask_first(
        attempt,
        "erasure",
        faults,
        texts={kind.value: attempt.read(measure_entries, kind, attempt.reference)[0] for kind in EntryKind},
        is_first=is_first,
        asked_by=asked_by if asked_by != me else None,
        reason_of_first=sentence_of(request) if request is not None else "",
    )


def ask_first(attempt: Attempt, form: str, faults: Mapping[str, str] = UNTYPED, **values: Any) -> Response:
    """`values` contain `sure` or `replaces`, which show that the person has been asked."""
    typed = {name: attempt.posted.one(name) for name in attempt.posted.fields}
    forms = desk_forms(attempt, attempt.reference, attempt.seen or 0, typed=typed, faults=faults, place=attempt.place)
    status = errors.ValidationFailed.status if faults else 200
    return attempt.page("desk_ask.html", status=status, form=form, forms=forms, now=attempt.now, **values)
