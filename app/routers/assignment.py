"""Who works on a concern: the routes that read it, assign it to a person, and take it away."""

from functools import partial
from typing import Annotated

from fastapi import Header, Response

from app.errors import AssignmentChanged, NoSuchConcern
from app.models.desk.assignment import Assignment, AssignmentResponse, AssignmentState
from app.models.links import assignment_path, desk_concern_path
from app.presenters.desk import reference_of
from app.routers.params import ConcernReference
from app.services.desk import assignment as service
from app.web.auth import ReaderDep, WorkerDep
from app.web.context import NowDep, WriterDep
from app.web.json_body import JSONRoute
from app.web.problem_responses import BODY_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.web.responses import matches_etag
from app.web.router import GuidanceRouter

router = GuidanceRouter(
    prefix="/v1/desk/concerns/{reference}/assignment",
    tags=["Desk"],
    responses=RESPONSES_OF_CLIENT_ROUTES,
    route_class=JSONRoute,
)
AssignmentTag = Annotated[
    str | None,
    Header(
        max_length=1000,
        description="The ETag of the assignment that the caller knows. Without it, the last request counts.",
        examples=['"assignment-3"'],
    ),
]


@router.get("", summary="Read who works on it", responses=problem_responses(NoSuchConcern))
def read_assignment(
    response: Response, writer: WriterDep, actor: ReaderDep, now: NowDep, reference: ConcernReference
) -> AssignmentResponse:
    """The person that the concern is assigned to, since when, and who did it. The ETag is for `If-Match`."""
    parsed = reference_of(reference)
    assigned = service.read_assignment(writer, parsed, actor=actor, at=now)
    response.headers["ETag"] = _etag(assigned.version)
    return _response(parsed, assigned)


@router.put(
    "",
    summary="Assign it",
    responses=problem_responses(NoSuchConcern, AssignmentChanged, *BODY_PROBLEMS),
)
def assign_concern(
    *,
    response: Response,
    writer: WriterDep,
    actor: WorkerDep,
    now: NowDep,
    reference: ConcernReference,
    assignment: Assignment | None = None,
    if_match: AssignmentTag = None,
) -> AssignmentResponse:
    """Assign the concern to a person; without a body, to yourself. `replaced` is the assignment before.

    Every request is on the record. Without `If-Match` the last one counts, and its answer shows the one before, which
    another worker may have made a moment ago. With it, a request that rests on an older assignment changes nothing: 412
    says who has the concern now.
    """
    person = actor.person if assignment is None else assignment.person
    parsed, known = reference_of(reference), partial(_matches, if_match)
    change = service.assign(writer, parsed, person, actor=actor, at=now, precondition=known)
    return _changed(response, parsed, change)


@router.delete("", summary="Take it away", responses=problem_responses(NoSuchConcern, AssignmentChanged))
def unassign_concern(
    *,
    response: Response,
    writer: WriterDep,
    actor: WorkerDep,
    now: NowDep,
    reference: ConcernReference,
    if_match: AssignmentTag = None,
) -> AssignmentResponse:
    """Assign the concern to nobody. `If-Match` works as it does for `PUT`."""
    parsed, known = reference_of(reference), partial(_matches, if_match)
    change = service.assign(writer, parsed, None, actor=actor, at=now, precondition=known)
    return _changed(response, parsed, change)


def _changed(response: Response, reference: str, change: service.Change) -> AssignmentResponse:
    response.headers["ETag"] = _etag(change.after.version)
    return _response(reference, change.after, change.before)


def _matches(if_match: str | None, version: int) -> bool:
    return if_match is None or matches_etag([if_match], _etag(version))


def _response(reference: str, now: service.Assigned, replaced: service.Assigned | None = None) -> AssignmentResponse:
    """Return who has the concern and, after a change, what the change replaced."""
    return AssignmentResponse(
        reference=reference,
        assigned_to=now.person,
        at=now.at,
        by=now.by,
        replaced=None if replaced is None else _state(replaced),
        links={"self": assignment_path(reference), "concern": desk_concern_path(reference)},
    )


def _etag(version: int) -> str:
    """Return the ETag of that version of an assignment."""
    return f'"assignment-{version}"'


def _state(assigned: service.Assigned) -> AssignmentState:
    return AssignmentState(assigned_to=assigned.person, at=assigned.at, by=assigned.by)
