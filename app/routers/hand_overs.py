"""Handing a concern over to another body, and the receipt that it sends back."""

from typing import Annotated

from fastapi import Path, Request, Response

from app.errors import (
    ConcernErased,
    IdempotencyKeyReused,
    NoSuchConcern,
    NoSuchItem,
    SealedTextMisplaced,
    SeveralIdempotencyKeys,
    UnsealingUnavailable,
)
from app.http.auth import ReaderDep, WorkerDep
from app.http.context import DeskDep, NowDep, WriterDep
from app.http.params import (
    IN_PLAIN_DIGITS,
    ConcernReference,
    GuidanceRouter,
    IdempotencyKey,
    JSONRoute,
    created_response,
    expect_one_key_at_most,
    keys_from,
)
from app.http.problems import BODY_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.models.base import MAX_NUMBER
from app.models.hand_overs import HandedOver, HandOver, HandOverEntry, HandOverReceipt, HandOversResponse
from app.models.links import desk_concern_path, desk_hand_over_path
from app.services import hand_overs
from app.services.inbox import reference_of

router = GuidanceRouter(
    prefix="/v1/desk/concerns/{reference}/hand-over",
    tags=["Desk"],
    responses=RESPONSES_OF_CLIENT_ROUTES,
    route_class=JSONRoute,
)

HandOverNumber = Annotated[
    int, Path(ge=1, le=MAX_NUMBER, description="The hand-over's place, from 1.", examples=[1]), IN_PLAIN_DIGITS
]


@router.get("", summary="List hand-overs", responses=problem_responses(NoSuchConcern))
def list_hand_overs(writer: WriterDep, actor: ReaderDep, now: NowDep, reference: ConcernReference) -> HandOversResponse:
    """To which bodies the concern was handed over, why, and both receipts of each."""
    parsed = reference_of(reference)
    entries = hand_overs.read_hand_overs(writer, parsed, actor=actor, at=now)
    links = {"self": desk_hand_over_path(parsed), "concern": desk_concern_path(parsed)}
    return HandOversResponse(hand_overs=entries, links=links)


@router.post(
    "",
    summary="Hand a concern over",
    status_code=201,
    response_model=HandedOver,
    responses=problem_responses(
        NoSuchConcern,
        ConcernErased,
        UnsealingUnavailable,
        SealedTextMisplaced,
        SeveralIdempotencyKeys,
        IdempotencyKeyReused,
        *BODY_PROBLEMS,
    ),
)
def hand_over(
    *,
    request: Request,
    desk: DeskDep,
    actor: WorkerDep,
    now: NowDep,
    reference: ConcernReference,
    hand_over: HandOver,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Record that the concern goes to another body, and sign it. The body opens the file with plain `age`.

    `guidance desk hand-over` makes the file on the worker's machine and sends its digest. Without a digest this service
    makes the file, where it holds an identity. A retry gets that same file. The concern stays open here: the team
    decides what comes of it.
    """
    expect_one_key_at_most(request)
    parsed = reference_of(reference)
    handed = hand_overs.hand_over(
        desk,
        parsed,
        hand_over,
        keys=keys_from(idempotency_key, client=f"{actor.client}, hand-over of {parsed}"),
        actor=actor,
        at=now,
    )
    return created_response(handed, desk_hand_over_path(parsed))


@router.post(
    "/{number}/receipt",
    summary="Store the other body's receipt",
    responses=problem_responses(NoSuchConcern, NoSuchItem, *BODY_PROBLEMS),
)
def confirm_hand_over(
    *,
    writer: WriterDep,
    actor: WorkerDep,
    now: NowDep,
    reference: ConcernReference,
    number: HandOverNumber,
    receipt: HandOverReceipt,
) -> HandOverEntry:
    """What the other body sent back. To store the same again changes nothing; another one is refused."""
    return hand_overs.confirm_hand_over(
        writer, reference_of(reference), number, receipt=receipt.receipt, actor=actor, at=now
    )
