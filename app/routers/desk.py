"""Reading and changing a concern at the desk of the duty team. Every route writes a disclosure."""

from fastapi import Request, Response

from app.age.keys import AGE_MEDIA_TYPE
from app.errors import (
    ConcernErased,
    NoSuchConcern,
    NotAcknowledged,
    OnHold,
    OutcomeGiven,
    SealedTextMisplaced,
    UnsealingUnavailable,
    ValidationFailed,
)
from app.models.desk.concerns import (
    Acknowledgement,
    ErasedConcern,
    Erasure,
    Hold,
    InboxEntry,
    OpenedConcern,
    Outcome,
)
from app.presenters.desk import entry_of, erased_concern, opened_concern, reference_of
from app.routers.params import ConcernReference
from app.services.desk import actions, opening
from app.services.entries import read_page
from app.store.remnants import purge_remnants
from app.web.auth import ReaderDep, WorkerDep
from app.web.context import DeskDep, EngineDep, NowDep, ReferenceDataDep, WriterDep
from app.web.json_body import JSONRoute
from app.web.negotiation import JSON, quality
from app.web.problem_responses import BODY_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.web.router import GuidanceRouter
from app.web.sealed_files import SEALED, sealed_file

router = GuidanceRouter(
    prefix="/v1/desk",
    tags=["Desk"],
    responses=RESPONSES_OF_CLIENT_ROUTES,
    route_class=JSONRoute,
)
ADDITIONS_SHOWN = 200
"""The most additions that an opened concern shows: as many as it can have. Their bytes are limited too."""


@router.get(
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


@router.post(
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
    concern = actions.acknowledge(writer, parsed, up_to_addition=up_to, actor=actor, at=now)
    return entry_of(concern, now=now)


@router.post(
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
    concern = actions.close(writer, parsed, outcome=outcome.outcome, shared=shared, actor=actor, at=now)
    return entry_of(concern, now=now)


@router.post(
    "/concerns/{reference}/hold",
    operation_id="hold_concern",
    summary="Hold or release a concern",
    responses=problem_responses(NoSuchConcern, *BODY_PROBLEMS),
)
def hold(writer: WriterDep, actor: WorkerDep, now: NowDep, reference: ConcernReference, hold: Hold) -> InboxEntry:
    """A concern on hold is erased neither by retention nor on request."""
    parsed = reference_of(reference)
    concern = actions.hold(writer, parsed, held=hold.held, reason=hold.reason, actor=actor, at=now)
    return entry_of(concern, now=now)


@router.post(
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
    concern = actions.erase(writer, reference_of(reference), reason=erasure.reason, actor=actor, at=now)
    return erased_concern(concern, purge_remnants(engine), now=now)
