"""Routes with which a worker writes down calls, letters, emails and visits: as a concern, or as an addition."""

from typing import Annotated

from fastapi import Body, Request, Response

from app.errors import ConcernErased, IdempotencyKeyReused, NoSuchConcern, SeveralIdempotencyKeys, TooManyAdditions
from app.http.auth import WorkerDep
from app.http.context import ContextDep
from app.http.params import IdempotencyKey, created_response, expect_one_key_at_most
from app.http.problems import BODY_PROBLEMS, problem_responses
from app.models.concerns.entries import AdditionEntry
from app.models.concerns.written_down import (
    SEALED_CONCERN_EXAMPLE,
    WRITTEN_ADDITION_EXAMPLE,
    WRITTEN_CONCERN_EXAMPLE,
    WrittenAddition,
    WrittenConcern,
    WrittenReceipt,
)
from app.models.links import DESK_CONCERNS, desk_concern_path
from app.routers.desk.actions import WorkingDep, desk_router
from app.routers.desk.entries import ADDITIONS
from app.services.concerns.written_down import write_down_addition, write_down_concern

router = desk_router()
PROBLEMS = (SeveralIdempotencyKeys, IdempotencyKeyReused, *BODY_PROBLEMS)
Written = Annotated[
    WrittenConcern,
    Body(
        openapi_examples={
            "call": {"summary": "A call, as text", "value": WRITTEN_CONCERN_EXAMPLE},
            "sealed": {"summary": "Encrypted on the worker's computer", "value": SEALED_CONCERN_EXAMPLE},
        }
    ),
]


@router.post(
    DESK_CONCERNS,
    operation_id="write_down_concern",
    summary="Write down a call, letter, email or visit",
    status_code=201,
    response_model=WrittenReceipt,
    responses=problem_responses(*PROBLEMS),
)
def write_down(
    request: Request,
    context: ContextDep,
    actor: WorkerDep,
    written: Written,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Store a concern that a worker writes down. 201 means that it has been flushed to disk.

    It is handled like a concern that a reporter sends: same receipt, deadlines, events and figures. The time for an
    acknowledgement starts at `came_at`. The audit log says who received it.
    """
    expect_one_key_at_most(request)
    result = write_down_concern(context.submissions, context.unsealer, written, actor, idempotency_key)
    return created_response(result, desk_concern_path(result.reference))


@router.post(
    ADDITIONS,
    operation_id="write_down_addition",
    summary="Write down a further call, letter, email or visit",
    status_code=201,
    response_model=AdditionEntry,
    responses=problem_responses(NoSuchConcern, ConcernErased, TooManyAdditions, *PROBLEMS),
)
def write_down_more(
    http_request: Request,
    request: WorkingDep,
    context: ContextDep,
    written: Annotated[WrittenAddition, Body(examples=[WRITTEN_ADDITION_EXAMPLE])],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Store a call, letter, email or visit as an addition to an existing concern, with its own deadline.

    The time for its acknowledgement starts at `came_at`. It never lowers the urgency of the concern.
    """
    expect_one_key_at_most(http_request)
    reference = request.reference
    result = write_down_addition(
        context.follow_ups, context.unsealer, reference, written, request.actor, idempotency_key
    )
    return created_response(result, desk_concern_path(reference, "additions"))
