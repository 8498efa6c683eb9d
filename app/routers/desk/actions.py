"""Routes of one concern at the desk. The audit log records each reading and each change."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response, Security

from app.age.keys import AGE_MEDIA_TYPE
from app.errors import (
    AssignmentChanged,
    ConcernErased,
    IdempotencyKeyReused,
    NoSuchConcern,
    NotAcknowledged,
    NotClosed,
    OnHold,
    OutcomeGiven,
    SealedTextMisplaced,
    SecondPersonNeeded,
    SeveralIdempotencyKeys,
    TooManyMessages,
    UnsealingUnavailable,
)
from app.http.auth import require_actor
from app.http.context import SettingsDep, context_of
from app.http.json_bodies import JSONRoute
from app.http.negotiation import JSON, quality
from app.http.params import ConcernReference, IdempotencyKey, expect_one_key_at_most
from app.http.problems import BODY_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.http.responses import SEALED, matches_etag, sealed_file
from app.http.routes import GuidanceRouter
from app.models.access.clients import Scope
from app.models.desk.actions import (
    Acknowledgement,
    Assignment,
    AssignmentResponse,
    AssignmentState,
    ErasedConcern,
    Erasure,
    Hold,
    OpenedConcern,
    Outcome,
    Reopening,
)
from app.models.desk.inbox import InboxEntry
from app.models.links import DESK_CONCERNS, desk_concern_path
from app.services.audit.audit_log import Actor
from app.services.concerns.entries import Desk, read_sealed
from app.services.desk import actions, assignment, opened_concerns
from app.services.desk.presented_concerns import entry_of, reference_of

ONE_CONCERN = DESK_CONCERNS + "/{reference}"
ADDITIONS_SHOWN = 200
"""As many as a concern can have; the limit on the size of the response may leave some out."""
AssignmentTag = Annotated[
    str | None,
    Header(
        max_length=1000,
        description="ETag of the assignment you read. If omitted, the last request wins.",
        examples=['"assignment-3"'],
    ),
]


def desk_router(prefix: str = "") -> GuidanceRouter:
    """A router of the desk, whose routes take JSON from clients."""
    return GuidanceRouter(prefix=prefix, tags=["Desk"], responses=RESPONSES_OF_CLIENT_ROUTES, route_class=JSONRoute)


router = desk_router(ONE_CONCERN)


@dataclass(frozen=True)
class DeskRequest:
    desk: Desk
    actor: Actor
    typed: str

    @property
    def reference(self) -> str:
        """Reference in standard form. Raise `NoSuchConcern` if it is not one."""
        return reference_of(self.typed)


async def get_desk_request(
    request: Request, actor: Annotated[Actor, Depends(require_actor)], reference: ConcernReference
) -> DeskRequest:
    return DeskRequest(context_of(request).desk, actor, reference)


ReadingDep = Annotated[DeskRequest, Security(get_desk_request, scopes=[Scope.READ])]

WorkingDep = Annotated[DeskRequest, Security(get_desk_request, scopes=[Scope.WRITE])]


@router.get(
    "",
    summary="Open a concern",
    response_model=OpenedConcern,
    responses=SEALED | problem_responses(NoSuchConcern, UnsealingUnavailable, ConcernErased, SealedTextMisplaced),
)
def open_concern(http_request: Request, request: ReadingDep) -> Response:
    """The decrypted concern and its additions, if this service holds an identity; otherwise the sealed file.

    Contains the first page of additions. `links.next` is the path of the second, if there is one.

    `Accept: application/age` always returns the sealed file. Decrypt it with `guidance desk open` or the `age` program.
    """
    desk, accept = request.desk, http_request.headers.get("accept", "*/*")
    as_file = not desk.unsealer.can_unseal or quality(AGE_MEDIA_TYPE, accept) > quality(JSON, accept)
    if as_file and quality(AGE_MEDIA_TYPE, accept) == 0:
        raise UnsealingUnavailable
    reference = request.reference
    how, limit = ("sealed file", 0) if as_file else ("opened here", ADDITIONS_SHOWN)
    opening = desk.writer.run(opened_concerns.open_concern, reference, request.actor, how=how, limit=limit)
    if as_file:
        return sealed_file(read_sealed(desk.engine, reference), reference, {"Additions": opening.additions})
    opened = opened_concerns.opened_concern(desk, opening, now=request.actor.at)
    return Response(opened.model_dump_json(), media_type=JSON, headers={"Vary": "Accept"})


@router.post(
    "/acknowledgement",
    summary="Acknowledge a concern",
    responses=problem_responses(NoSuchConcern, *BODY_PROBLEMS),
)
def acknowledge_concern(request: WorkingDep, acknowledgement: Acknowledgement | None = None) -> InboxEntry:
    """Record that a social worker has read the concern and decided the next step. Idempotent; no request body needed.

    Additions are acknowledged separately: send the last addition read as `up_to_addition`. Later additions stay
    unacknowledged.
    """
    read = acknowledgement or Acknowledgement()
    concern = request.desk.writer.run(actions.acknowledge, request.reference, read, request.actor)
    return entry_of(concern, now=request.actor.at)


@router.post(
    "/outcome",
    summary="Close a concern",
    responses=problem_responses(
        NoSuchConcern,
        NotAcknowledged,
        OutcomeGiven,
        ConcernErased,
        TooManyMessages,
        SeveralIdempotencyKeys,
        IdempotencyKeyReused,
        *BODY_PROBLEMS,
    ),
)
def close_concern(
    http_request: Request, request: WorkingDep, outcome: Outcome, idempotency_key: IdempotencyKey = None
) -> InboxEntry:
    """Close the concern with an outcome. The reporter sees the outcome only if it is shared.

    A `message` goes to the reporter in the same transaction: both are stored, or neither.
    """
    expect_one_key_at_most(http_request)
    return actions.close(request.desk, request.reference, outcome, request.actor, idempotency_key)


@router.post(
    "/reopening",
    summary="Reopen a concern",
    responses=problem_responses(NoSuchConcern, NotClosed, ConcernErased, *BODY_PROBLEMS),
)
def reopen_concern(request: WorkingDep, reopening: Reopening) -> InboxEntry:
    """Take back the closing of a concern and its outcome. The concern is acknowledged again, with the same assignment.

    The reporter sees the state `acknowledged`, and no outcome. Retention starts again now, and at the next closing.
    """
    concern = request.desk.writer.run(actions.reopen, request.reference, reopening, request.actor)
    return entry_of(concern, now=request.actor.at)


@router.post(
    "/hold",
    summary="Hold or release a concern",
    responses=problem_responses(NoSuchConcern, *BODY_PROBLEMS),
)
def hold_concern(request: WorkingDep, hold: Hold) -> InboxEntry:
    """A concern on hold cannot be erased, by retention or on request."""
    concern = request.desk.writer.run(actions.hold, request.reference, hold, request.actor)
    return entry_of(concern, now=request.actor.at)


@router.post(
    "/erasure",
    summary="Erase a concern",
    responses=problem_responses(
        NoSuchConcern, NotAcknowledged, OnHold, ConcernErased, SecondPersonNeeded, *BODY_PROBLEMS
    ),
)
def erase_concern(request: WorkingDep, settings: SettingsDep, erasure: Erasure) -> ErasedConcern:
    """Permanently erase the text of a concern. Refused while the concern is on hold.

    The concern and all its additions must be acknowledged first. If the council requires two people, the first request
    is recorded and refused with `second-person-needed`, and another person erases with the same request.
    """
    by_two = settings.two_people_erase
    return actions.erase_for_good(request.desk, request.reference, erasure, request.actor, by_two=by_two)


@router.get("/assignment", summary="Get the assignment", responses=problem_responses(NoSuchConcern))
def read_assignment(response: Response, request: ReadingDep) -> AssignmentResponse:
    """The assigned person, since when and by whom. To change the assignment, send the ETag in `If-Match`."""
    reference = request.reference
    return _assignment(
        response, reference, request.desk.writer.run(assignment.read_assignment, reference, request.actor)
    )


@router.put(
    "/assignment",
    summary="Assign a concern",
    responses=problem_responses(NoSuchConcern, AssignmentChanged, *BODY_PROBLEMS),
)
def assign_concern(
    response: Response, request: WorkingDep, assignment: Assignment | None = None, if_match: AssignmentTag = None
) -> AssignmentResponse:
    """Assign the concern to a person or, without a body, to yourself. `replaced` is the previous assignment.

    Every request is recorded. Without `If-Match` the last request wins, and its response shows the assignment it
    replaced. With `If-Match`, a request based on an older assignment returns 412, which names the person the
    concern is assigned to.
    """
    return _assign(response, request, request.actor.person if assignment is None else assignment.person, if_match)


@router.delete(
    "/assignment", summary="Unassign a concern", responses=problem_responses(NoSuchConcern, AssignmentChanged)
)
def unassign_concern(response: Response, request: WorkingDep, if_match: AssignmentTag = None) -> AssignmentResponse:
    """Remove the assignment. `If-Match` works as for `PUT`."""
    return _assign(response, request, None, if_match)


def _assign(response: Response, request: DeskRequest, person: str | None, if_match: str | None) -> AssignmentResponse:
    before, after = assignment.assign(
        request.desk.writer,
        request.reference,
        person,
        request.actor,
        lambda version: if_match is None or matches_etag([if_match], _etag(version)),
    )
    return _assignment(response, request.reference, after, before)


def _assignment(
    response: Response, reference: str, now: assignment.Assigned, replaced: assignment.Assigned | None = None
) -> AssignmentResponse:
    """Set the ETag of `response` too."""
    response.headers["ETag"] = _etag(now.version)
    return AssignmentResponse(
        reference=reference,
        **_state(now),
        replaced=None if replaced is None else AssignmentState(**_state(replaced)),
        links={"self": desk_concern_path(reference, "assignment"), "concern": desk_concern_path(reference)},
    )


def _etag(version: int) -> str:
    return f'"assignment-{version}"'


def _state(assigned: assignment.Assigned) -> dict[str, Any]:
    return {"assigned_to": assigned.person, "at": assigned.at, "by": assigned.by}
