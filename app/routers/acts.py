"""A concern at the desk of the duty team: who works on it, its words, and what the team does. All is on the record."""

import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response, Security
from pydantic import BaseModel

from app.age.keys import AGE_MEDIA_TYPE
from app.errors import (
    AssignmentChanged,
    ConcernErased,
    IdempotencyKeyReused,
    NoSuchConcern,
    NotAcknowledged,
    OnHold,
    OutcomeGiven,
    SealedTextMisplaced,
    SeveralIdempotencyKeys,
    TooManyMessages,
    UnsealingUnavailable,
)
from app.http.auth import require_actor
from app.http.context import context_of
from app.http.negotiation import JSON, quality
from app.http.params import (
    ConcernReference,
    GuidanceRouter,
    IdempotencyKey,
    JSONRoute,
    created_response,
    expect_one_key_at_most,
)
from app.http.problems import BODY_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.http.responses import SEALED, matches_etag, sealed_file
from app.models.acts import (
    Acknowledgement,
    Assignment,
    AssignmentResponse,
    AssignmentState,
    ErasedConcern,
    Erasure,
    Hold,
    OpenedConcern,
    Outcome,
)
from app.models.clients import Scope
from app.models.inbox import InboxEntry
from app.models.links import DESK_CONCERNS, desk_concern_path
from app.services import acts
from app.services.acts import Act
from app.services.entries import Desk, read_sealed
from app.services.inbox import reference_of
from app.services.receipts import IdempotentResult
from app.services.record import Actor

_T = TypeVar("_T")

ONE_CONCERN = DESK_CONCERNS + "/{reference}"
router = GuidanceRouter(prefix=ONE_CONCERN, tags=["Desk"], responses=RESPONSES_OF_CLIENT_ROUTES, route_class=JSONRoute)
ADDITIONS_SHOWN = 200
"""The most additions that an opened concern shows: as many as it can have. Their bytes are limited too."""
AssignmentTag = Annotated[
    str | None,
    Header(
        max_length=1000,
        description="The ETag of the assignment that the caller knows. Without it, the last request counts.",
        examples=['"assignment-3"'],
    ),
]


@dataclass(frozen=True)
class DeskRequest:
    """A request of the desk about one concern: who acts, when, and the reference as it was typed."""

    desk: Desk
    actor: Actor
    typed: str

    @property
    def now(self) -> dt.datetime:
        """When it came."""
        return self.actor.at

    @property
    def reference(self) -> str:
        """The reference in its standard spelling. Raises `NoSuchConcern`."""
        return reference_of(self.typed)

    def do(self, act: Act[_T], wanted: BaseModel, key: str | None = None) -> _T:
        """Do it, and return what the act returns."""
        return act.perform(self.desk, self.reference, wanted, self.actor, key)

    def do_once(self, act: Act[IdempotentResult], wanted: BaseModel, request: Request, key: str | None) -> Response:
        """Do it, unless it was done with that idempotency key, and answer 201. Raises `SeveralIdempotencyKeys`."""
        expect_one_key_at_most(request)
        done = act.perform(self.desk, self.reference, wanted, self.actor, key)
        return created_response(done, f"{desk_concern_path(self.reference)}/{act.step}")


async def about_concern(
    request: Request, actor: Annotated[Actor, Depends(require_actor)], reference: ConcernReference
) -> DeskRequest:
    """Return the request of a client that has the scopes of the route."""
    return DeskRequest(context_of(request).desk, actor, reference)


ReadingDep = Annotated[DeskRequest, Security(about_concern, scopes=[Scope.READ])]
WorkingDep = Annotated[DeskRequest, Security(about_concern, scopes=[Scope.WRITE])]


@router.get(
    "",
    summary="Open a concern",
    response_model=OpenedConcern,
    responses=SEALED | problem_responses(NoSuchConcern, UnsealingUnavailable, ConcernErased, SealedTextMisplaced),
)
def open_concern(request: Request, asked: ReadingDep) -> Response:
    """The concern with its words and what was added, where this service holds an identity; else the sealed file.

    Of what was added it has the first page. `links.next` is the path of the second, if there is one.

    `Accept: application/age` asks for the sealed file in any case: a person with an identity opens it with
    `guidance desk open`, or with the `age` program.
    """
    desk, accept = asked.desk, request.headers.get("accept", "*/*")
    as_file = not desk.unsealer.can_unseal or quality(AGE_MEDIA_TYPE, accept) > quality(JSON, accept)
    if as_file and quality(AGE_MEDIA_TYPE, accept) == 0:
        raise UnsealingUnavailable
    reference = asked.reference
    wanted = acts.Wanted("sealed file", 0) if as_file else acts.Wanted("opened here", ADDITIONS_SHOWN)
    opening = acts.open_concern(desk.writer, reference, wanted, asked.actor)
    if as_file:
        return sealed_file(read_sealed(desk.engine, reference), reference, {"Additions": opening.additions})
    opened = acts.opened_concern(desk, opening, now=asked.now)
    return Response(opened.model_dump_json(), media_type=JSON, headers={"Vary": "Accept"})


@router.post(
    "/acknowledgement",
    operation_id="acknowledge_concern",
    summary="Acknowledge a concern",
    responses=problem_responses(NoSuchConcern, *BODY_PROBLEMS),
)
def acknowledge(asked: WorkingDep, acknowledgement: Acknowledgement | None = None) -> InboxEntry:
    """A social worker has seen it and decided the next step. To do so again changes nothing. It needs no body.

    What was added waits for an acknowledgement of its own: name the last addition that was seen in `up_to_addition`.
    What came after it, and is not named, goes on waiting.
    """
    return asked.do(acts.ACKNOWLEDGE, acknowledgement or Acknowledgement())


@router.post(
    "/outcome",
    operation_id="close_concern",
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
def close(request: Request, asked: WorkingDep, outcome: Outcome, idempotency_key: IdempotencyKey = None) -> InboxEntry:
    """Close the concern with its outcome; the reporter's status tells the outcome only where it is shared.

    A `message` goes to the reporter in the same transaction: both are stored, or neither.
    """
    expect_one_key_at_most(request)
    return asked.do(acts.CLOSE, outcome, idempotency_key)


@router.post(
    "/hold",
    operation_id="hold_concern",
    summary="Hold or release a concern",
    responses=problem_responses(NoSuchConcern, *BODY_PROBLEMS),
)
def hold(asked: WorkingDep, hold: Hold) -> InboxEntry:
    """A concern on hold is erased neither by retention nor on request."""
    return asked.do(acts.HOLD, hold)


@router.post(
    "/erasure",
    operation_id="erase_concern",
    summary="Erase a concern's words",
    responses=problem_responses(NoSuchConcern, NotAcknowledged, OnHold, ConcernErased, *BODY_PROBLEMS),
)
def erase(asked: WorkingDep, erasure: Erasure) -> ErasedConcern:
    """Take the words away for good. What nobody has acknowledged, and what is on hold, is not erased.

    Nor is a concern while something that was added to it waits for its acknowledgement.
    """
    return asked.do(acts.ERASE, erasure)


@router.get("/assignment", summary="Read who works on it", responses=problem_responses(NoSuchConcern))
def read_assignment(response: Response, asked: ReadingDep) -> AssignmentResponse:
    """The person that the concern is assigned to, since when, and who did it. The ETag is for `If-Match`."""
    reference = asked.reference
    return _assignment(response, reference, acts.read_assignment(asked.desk.writer, reference, asked.actor))


@router.put(
    "/assignment",
    summary="Assign it",
    responses=problem_responses(NoSuchConcern, AssignmentChanged, *BODY_PROBLEMS),
)
def assign_concern(
    response: Response, asked: WorkingDep, assignment: Assignment | None = None, if_match: AssignmentTag = None
) -> AssignmentResponse:
    """Assign the concern to a person; without a body, to yourself. `replaced` is the assignment before.

    Every request is on the record. Without `If-Match` the last one counts, and its answer shows the one before, which
    another worker may have made a moment ago. With it, a request that rests on an older assignment changes nothing: 412
    says who has the concern now.
    """
    return _assign(response, asked, asked.actor.person if assignment is None else assignment.person, if_match)


@router.delete("/assignment", summary="Take it away", responses=problem_responses(NoSuchConcern, AssignmentChanged))
def unassign_concern(response: Response, asked: WorkingDep, if_match: AssignmentTag = None) -> AssignmentResponse:
    """Assign the concern to nobody. `If-Match` works as it does for `PUT`."""
    return _assign(response, asked, None, if_match)


def _assign(response: Response, asked: DeskRequest, person: str | None, if_match: str | None) -> AssignmentResponse:
    reference, known = asked.reference, partial(_matches, if_match)
    before, after = acts.assign(asked.desk.writer, reference, person, asked.actor, known)
    return _assignment(response, reference, after, before)


def _matches(if_match: str | None, version: int) -> bool:
    return if_match is None or matches_etag([if_match], _etag(version))


def _assignment(
    response: Response, reference: str, now: acts.Assigned, replaced: acts.Assigned | None = None
) -> AssignmentResponse:
    """Return who has the concern and, after a change, what the change replaced."""
    response.headers["ETag"] = _etag(now.version)
    return AssignmentResponse(
        reference=reference,
        **_state(now),
        replaced=None if replaced is None else AssignmentState(**_state(replaced)),
        links={"self": desk_concern_path(reference, "assignment"), "concern": desk_concern_path(reference)},
    )


def _etag(version: int) -> str:
    return f'"assignment-{version}"'


def _state(assigned: acts.Assigned) -> dict[str, Any]:
    return {"assigned_to": assigned.person, "at": assigned.at, "by": assigned.by}
