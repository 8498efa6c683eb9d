"""Who works on a concern: the routes that read it, assign it to a person, and take it away."""

from functools import partial
from typing import Annotated

from fastapi import Header, Request, Response

from app.age.keys import AGE_MEDIA_TYPE
from app.errors import (
    AssignmentChanged,
    ConcernErased,
    NoSuchConcern,
    NotAcknowledged,
    OnHold,
    OutcomeGiven,
    SealedTextMisplaced,
    UnsealingUnavailable,
    ValidationFailed,
)
from app.http.auth import ReaderDep, WorkerDep
from app.http.context import DeskDep, EngineDep, NowDep, ReferenceDataDep, WriterDep
from app.http.negotiation import JSON, quality
from app.http.params import ConcernReference, GuidanceRouter, JSONRoute
from app.http.problems import BODY_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.http.responses import SEALED, matches_etag, sealed_file
from app.models.acts import Assignment, AssignmentResponse, AssignmentState
from app.models.inbox import Acknowledgement, ErasedConcern, Erasure, Hold, InboxEntry, OpenedConcern, Outcome
from app.models.links import assignment_path, desk_concern_path
from app.services import acts, opening
from app.services.entries import read_page
from app.services.inbox import entry_of, erased_concern, opened_concern, reference_of
from app.services.record import purge_remnants

assignment_router = GuidanceRouter(
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


@assignment_router.get("", summary="Read who works on it", responses=problem_responses(NoSuchConcern))
def read_assignment(
    response: Response, writer: WriterDep, actor: ReaderDep, now: NowDep, reference: ConcernReference
) -> AssignmentResponse:
    """The person that the concern is assigned to, since when, and who did it. The ETag is for `If-Match`."""
    parsed = reference_of(reference)
    assigned = acts.read_assignment(writer, parsed, actor=actor, at=now)
    response.headers["ETag"] = _etag(assigned.version)
    return _response(parsed, assigned)


@assignment_router.put(
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
    change = acts.assign(writer, parsed, person, actor=actor, at=now, precondition=known)
    return _changed(response, parsed, change)


@assignment_router.delete("", summary="Take it away", responses=problem_responses(NoSuchConcern, AssignmentChanged))
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
    change = acts.assign(writer, parsed, None, actor=actor, at=now, precondition=known)
    return _changed(response, parsed, change)


def _changed(response: Response, reference: str, change: acts.Change) -> AssignmentResponse:
    response.headers["ETag"] = _etag(change.after.version)
    return _response(reference, change.after, change.before)


def _matches(if_match: str | None, version: int) -> bool:
    return if_match is None or matches_etag([if_match], _etag(version))


def _response(reference: str, now: acts.Assigned, replaced: acts.Assigned | None = None) -> AssignmentResponse:
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


def _state(assigned: acts.Assigned) -> AssignmentState:
    return AssignmentState(assigned_to=assigned.person, at=assigned.at, by=assigned.by)


# Reading and changing a concern at the desk of the duty team. Every route writes a disclosure.


desk_router = GuidanceRouter(
    prefix="/v1/desk",
    tags=["Desk"],
    responses=RESPONSES_OF_CLIENT_ROUTES,
    route_class=JSONRoute,
)
ADDITIONS_SHOWN = 200
"""The most additions that an opened concern shows: as many as it can have. Their bytes are limited too."""


@desk_router.get(
    "/concerns/{reference}",
    summary="Open a concern",
    response_model=OpenedConcern,
    responses=SEALED
    | problem_responses(
        NoSuchConcern,
        UnsealingUnavailable,
        ConcernErased,
        SealedTextMisplaced,
    ),
)
def open_concern(
    request: Request,
    desk: DeskDep,
    actor: ReaderDep,
    now: NowDep,
    reference: ConcernReference,
) -> Response:
    """The concern with its words and what was added, where this service holds an identity; else the sealed file.

    Of what was added it has the first page. `links.next` is the path of the second, if there is one.

    `Accept: application/age` asks for the sealed file in any case: a person with an identity opens it with
    `guidance desk open`, or with the `age` program.
    """
    accept = request.headers.get("accept", "*/*")
    as_file = not desk.unsealer.can_unseal or quality(AGE_MEDIA_TYPE, accept) > quality(JSON, accept)
    if as_file and quality(AGE_MEDIA_TYPE, accept) == 0:
        raise UnsealingUnavailable
    how = "sealed file" if as_file else "opened here"
    parsed, shown = reference_of(reference), 0 if as_file else ADDITIONS_SHOWN
    recorded = opening.open_concern(desk.writer, parsed, opening.Wanted(how, shown), actor=actor, at=now)
    sealed = opening.read_sealed_concern(desk.engine, parsed)
    if as_file:
        return sealed_file(sealed, parsed, {"Additions": recorded.additions})
    additions = read_page(desk.engine, recorded.page)
    opened = opened_concern(recorded, sealed, additions, desk.unsealer, now=now)
    return Response(opened.model_dump_json(), media_type=JSON, headers={"Vary": "Accept"})


@desk_router.post(
    "/concerns/{reference}/acknowledgement",
    operation_id="acknowledge_concern",
    summary="Acknowledge a concern",
    responses=problem_responses(NoSuchConcern, *BODY_PROBLEMS),
)
def acknowledge(
    writer: WriterDep,
    actor: WorkerDep,
    now: NowDep,
    reference: ConcernReference,
    acknowledgement: Acknowledgement | None = None,
) -> InboxEntry:
    """A social worker has seen it and decided the next step. To do so again changes nothing. It needs no body.

    What was added waits for an acknowledgement of its own: name the last addition that was seen in `up_to_addition`.
    What came after it, and is not named, goes on waiting.
    """
    up_to = acknowledgement.up_to_addition if acknowledgement is not None else 0
    parsed = reference_of(reference)
    concern = acts.acknowledge(writer, parsed, up_to_addition=up_to, actor=actor, at=now)
    return entry_of(concern, now=now)


@desk_router.post(
    "/concerns/{reference}/outcome",
    operation_id="close_concern",
    summary="Close a concern",
    responses=problem_responses(NoSuchConcern, NotAcknowledged, OutcomeGiven, *BODY_PROBLEMS),
)
def close(
    reference_data: ReferenceDataDep,
    writer: WriterDep,
    actor: WorkerDep,
    now: NowDep,
    reference: ConcernReference,
    outcome: Outcome,
) -> InboxEntry:
    """Close the concern with its outcome; the reporter's status tells the outcome only where it is shared."""
    faults = reference_data.faults_in_codes(outcome)
    if faults:
        raise ValidationFailed(faults)
    parsed, shared = reference_of(reference), outcome.shared_with_reporter
    concern = acts.close(writer, parsed, outcome=outcome.outcome, shared=shared, actor=actor, at=now)
    return entry_of(concern, now=now)


@desk_router.post(
    "/concerns/{reference}/hold",
    operation_id="hold_concern",
    summary="Hold or release a concern",
    responses=problem_responses(NoSuchConcern, *BODY_PROBLEMS),
)
def hold(writer: WriterDep, actor: WorkerDep, now: NowDep, reference: ConcernReference, hold: Hold) -> InboxEntry:
    """A concern on hold is erased neither by retention nor on request."""
    parsed = reference_of(reference)
    concern = acts.hold(writer, parsed, held=hold.held, reason=hold.reason, actor=actor, at=now)
    return entry_of(concern, now=now)


@desk_router.post(
    "/concerns/{reference}/erasure",
    operation_id="erase_concern",
    summary="Erase a concern's words",
    responses=problem_responses(
        NoSuchConcern,
        NotAcknowledged,
        OnHold,
        ConcernErased,
        *BODY_PROBLEMS,
    ),
)
def erase(
    engine: EngineDep, writer: WriterDep, actor: WorkerDep, now: NowDep, reference: ConcernReference, erasure: Erasure
) -> ErasedConcern:
    """Take the words away for good. What nobody has acknowledged, and what is on hold, is not erased.

    Nor is a concern while something that was added to it waits for its acknowledgement.
    """
    concern = acts.erase(writer, reference_of(reference), reason=erasure.reason, actor=actor, at=now)
    return erased_concern(concern, purge_remnants(engine), now=now)
