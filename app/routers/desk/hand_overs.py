"""Routes to hand a concern over to another organisation, and to store the receipt that the organisation sends back."""

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
from app.http.params import IN_PLAIN_DIGITS, IdempotencyKey, created_response, expect_one_key_at_most
from app.http.problems import BODY_PROBLEMS, problem_responses
from app.models.base import MAX_NUMBER
from app.models.desk.hand_overs import HandedOver, HandOver, HandOverEntry, HandOverReceipt, HandOversResponse
from app.models.links import desk_concern_path
from app.routers.desk.actions import ONE_CONCERN, ReadingDep, WorkingDep, desk_router
from app.services.desk import hand_overs

router = desk_router(f"{ONE_CONCERN}/hand-over")
HandOverNumber = Annotated[
    int, Path(ge=1, le=MAX_NUMBER, description="Number of the hand-over, from 1.", examples=[1]), IN_PLAIN_DIGITS
]


@router.get("", summary="List hand-overs", responses=problem_responses(NoSuchConcern))
def list_hand_overs(request: ReadingDep) -> HandOversResponse:
    """The organisations the concern was handed over to, the reasons, and both receipts of each."""
    reference = request.reference
    entries = request.desk.writer.run(hand_overs.read_hand_overs, reference, request.actor)
    links = {"self": desk_concern_path(reference, "hand-over"), "concern": desk_concern_path(reference)}
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
    http_request: Request, request: WorkingDep, hand_over: HandOver, idempotency_key: IdempotencyKey = None
) -> Response:
    """Record and sign a hand-over to another organisation, which decrypts the file with plain `age`.

    `guidance desk hand-over` makes the file on the worker's computer and sends its digest. Without a digest, this
    service makes the file if it holds an identity; a retry gets the same file. The concern stays open here until
    the team closes it.
    """
    expect_one_key_at_most(http_request)
    reference = request.reference
    handed = hand_overs.hand_over(request.desk, reference, hand_over, request.actor, idempotency_key)
    return created_response(handed, desk_concern_path(reference, "hand-over"))


@router.post(
    "/{number}/receipt",
    summary="Store the other organisation's receipt",
    responses=problem_responses(NoSuchConcern, NoSuchItem, *BODY_PROBLEMS),
)
def confirm_hand_over(request: WorkingDep, number: HandOverNumber, receipt: HandOverReceipt) -> HandOverEntry:
    """Store the receipt that the other organisation sent back. Idempotent; a different receipt is refused."""
    return request.desk.writer.run(hand_overs.confirm_hand_over, request.reference, number, receipt, request.actor)
