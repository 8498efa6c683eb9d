"""Actions that are asked about once before they are done: taking a concern from someone, and erasing its text."""

from dataclasses import replace
from typing import Any

import orjson
from fastapi import Response
from sqlmodel import Session

from app import errors
from app.errors import FaultCode, FieldError
from app.http.negotiation import JSON
from app.http.routes import GuidanceRouter
from app.models.audit.entry_kinds import EntryKind
from app.models.base import RequestModel
from app.models.desk.actions import Erasure
from app.pages.desk.actions import REFUSED, Attempt, AttemptDep, desk_forms, lead_back, show_again
from app.pages.desk.inbox import CONCERN_PAGES, ConcernReferenceInPath
from app.pages.frame import DeskRoute, WorkerVisitDep
from app.services.access.people import list_workers
from app.services.concerns.entries import measure_entries
from app.services.desk import actions, assignment
from app.services.desk.presented_concerns import reference_of

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)
NO_SUCH_WORKER = "choose someone who can work on concerns, or nobody"


class AssignmentForm(RequestModel):
    """The form that assigns a concern. `person` is a name, or empty to assign the concern to nobody.

    `replaces` is the person from whom the concern is knowingly taken. It is empty until the question was asked.
    """

    person: str = ""
    replaces: str = ""


class ErasureForm(Erasure):
    """The form that erases the text of a concern. `sure` is true once the question was asked."""

    sure: bool = False


@router.post("/{reference}/assignment")
def assign_on_page(attempt: AttemptDep) -> Response:
    """Assign the concern to a person who can work on concerns, or to nobody.

    If the person takes the concern over from someone else, ask once before that. A form that names from whom the
    concern is taken is asked about again if somebody else has it now. Refuse if the assignment has changed since the
    page was shown.
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
    except errors.AssignmentChanged:  # at the same moment, after `owner` was read
        with Session(attempt.context.engine) as session:
            owner = assignment.find_assignment(session, attempt.reference)
        return ask_first(attempt, "take_over", owner=owner, person=typed.person)
    return lead_back(attempt)


@router.get("/{reference}/assignment")
def read_assignment_for_page(visit: WorkerVisitDep, reference: ConcernReferenceInPath) -> Response:
    """Record the reading in the audit log, and return who has the concern as JSON, for the script of the desk.

    `person` is null if nobody has it. Raise `NoSuchConcern` if the reference is unknown.
    """
    found = visit.context.writer.run(assignment.read_assignment, reference_of(reference), visit.actor)
    return Response(orjson.dumps({"person": found.person}), media_type=JSON)


def _take_from(attempt: Attempt, owner: assignment.Assigned, person: str | None) -> None:
    """Assign the concern to `person`, or to nobody if `person` is None. The caller has seen that it was `owner`'s.

    Raise `AssignmentChanged` if there is a newer assignment than `owner`.
    """
    actor = replace(attempt.actor, seen=None)
    assignment.assign(
        attempt.context.writer, attempt.reference, person, actor, lambda version: version == owner.version
    )


@router.post("/{reference}/erasure")
def erase_on_page(attempt: AttemptDep) -> Response:
    """Erase the text of the concern permanently. Before that, ask once, and say what goes and what stays."""
    try:
        wanted = attempt.parse(ErasureForm)
        if not wanted.sure:
            return ask_first(attempt, "erasure", texts=_count_texts(attempt))
        actions.erase_for_good(attempt.context.desk, attempt.reference, wanted, attempt.actor)
    except REFUSED as refusal:
        return show_again(attempt, "erasure", refusal)
    return lead_back(attempt)


def _count_texts(attempt: Attempt) -> dict[str, int]:
    """Return the number of the concern's additions, notes, labels and messages, by kind."""
    with Session(attempt.context.engine) as session:
        return {kind.value: measure_entries(session, kind, attempt.reference)[0] for kind in EntryKind}


def ask_first(attempt: Attempt, form: str, **values: Any) -> Response:
    """Return the page that asks before the action of `form` is done. `values` are further template variables.

    The page has the same form again, with its input, and with the field that says that the question was asked.
    """
    typed = {name: attempt.posted.one(name) for name in attempt.posted.fields}
    forms = desk_forms(attempt, attempt.reference, attempt.seen or 0, typed=typed, place=attempt.place)
    return attempt.page("desk_ask.html", form=form, forms=forms, now=attempt.now, **values)
