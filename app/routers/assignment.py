"""Who works on a concern: the routes that read it, assign it to a person, and take it away."""

from functools import partial
from typing import Annotated

from fastapi import Header, Response

from app.errors import AssignmentChanged, NoSuchConcern
from app.models.desk.assignment import Assignment, AssignmentResponse
from app.presenters.assignment import assignment_etag, assignment_response
from app.presenters.desk import reference_of
from app.routers.params import ConcernReference
from app.services.desk import assignment as service
from app.store.disclosures import Actor
from app.store.writer import Writer
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
    response.headers["ETag"] = assignment_etag(assigned.version)
    return assignment_response(parsed, assigned)


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
    return _assign(response, writer, reference, person, if_match, actor=actor, now=now)


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
    return _assign(response, writer, reference, None, if_match, actor=actor, now=now)


def _assign(
    response: Response,
    writer: Writer,
    reference: str,
    person: str | None,
    if_match: str | None,
    *,
    actor: Actor,
    now: NowDep,
) -> AssignmentResponse:
    parsed = reference_of(reference)
    precondition = partial(_matches, if_match)
    change = service.assign(writer, parsed, person, actor=actor, at=now, precondition=precondition)
    response.headers["ETag"] = assignment_etag(change.after.version)
    return assignment_response(parsed, change.after, change.before)


def _matches(if_match: str | None, version: int) -> bool:
    return if_match is None or matches_etag([if_match], assignment_etag(version))
