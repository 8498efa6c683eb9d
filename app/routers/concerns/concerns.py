"""Routes for reporters: the form, the check, the submission and the follow-up of a concern."""

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

from fastapi import Body, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.errors import (
    BadRequest,
    ConcernErased,
    IdempotencyKeyReused,
    NoSuchConcern,
    ServiceUnavailable,
    SeveralIdempotencyKeys,
    TokenMissing,
    TooManyAdditions,
)
from app.http.auth import PUBLIC, StatusTokenDep, SubmitterDep, caller_networks, expect_within_limit, networks_to_count
from app.http.context import ContextDep, NowDep, SubmissionsDep, context_of
from app.http.exchange import LATE
from app.http.json_bodies import JSONRoute
from app.http.params import IdempotencyKey, TypedReference, created_response, expect_one_key_at_most
from app.http.problems import BODY_PROBLEMS, CLIENT_PROBLEMS, CREDENTIAL_PROBLEMS, NOT_MODIFIED, problem_responses
from app.http.responses import CACHE_CURRENT, caching_until, public_response
from app.http.routes import GuidanceRouter
from app.http.simulation import SimulatedOutcomeQuery, simulate
from app.models.concerns.additions import ADDITION_EXAMPLE, Addition, AdditionReceipt
from app.models.concerns.concern import Concern, SimulatedOutcome
from app.models.concerns.entries import ReceivedMessages
from app.models.concerns.examples import FULL_EXAMPLE, SMALLEST_EXAMPLE
from app.models.concerns.form import ConcernFormResponse, concern_form
from app.models.concerns.receipts import CheckResponse, ConcernStatus, Receipt
from app.models.links import CONCERNS, concern_path
from app.services.concerns.follow_up import ADD, FollowUps, ReporterCode
from app.services.concerns.idempotency import derive_idempotency_keys

router = GuidanceRouter(prefix=CONCERNS, route_class=JSONRoute)
RAISING: list[str | Enum] = ["Concerns"]
FOLLOWING: list[str | Enum] = ["Follow-up"]
SUBMISSION_PROBLEMS = (BadRequest, SeveralIdempotencyKeys, *BODY_PROBLEMS, IdempotencyKeyReused, ServiceUnavailable)
WITH_OR_WITHOUT_KEY: dict[str, Any] = {"security": [{}]}
Submission = Annotated[
    Concern,
    Body(
        openapi_examples={
            "smallest": {"summary": "The four required parts alone", "value": SMALLEST_EXAMPLE},
            "full": {"summary": "Every field", "value": FULL_EXAMPLE},
        }
    ),
]


@router.get(
    "/form",
    tags=RAISING,
    summary="Get the form",
    response_model=ConcernFormResponse,
    responses=NOT_MODIFIED,
    dependencies=[PUBLIC],
)
def read_concern_form(request: Request, context: ContextDep, now: NowDep) -> Response:
    """The form as JSON Schema, with labels, help texts and code lists, for front ends to render."""
    who, hours = context.emergency_contacts.current(), context.duty_hours
    lists = tuple(context.reference_data.code_lists.values())
    form = concern_form(lists, who.signposts, hours.teams(who, now).on_duty)
    return public_response(request, form, more_headers=caching_until(hours.next_change(who, now), now, CACHE_CURRENT))


@router.post(
    "/check",
    tags=RAISING,
    summary="Check a concern",
    responses=problem_responses(*BODY_PROBLEMS, *CLIENT_PROBLEMS),
    openapi_extra=WITH_OR_WITHOUT_KEY,
)
def check_submission(
    submissions: SubmissionsDep, submission: Submission, submitter: SubmitterDep, now: NowDep
) -> CheckResponse:
    """Validates a concern like a submission, but stores nothing. For developers and front ends."""
    return submissions.check(submission, for_tests=submitter.for_tests, at=now)


@router.post(
    "",
    tags=RAISING,
    summary="Raise a concern",
    status_code=201,
    response_model=Receipt,
    responses=problem_responses(*CREDENTIAL_PROBLEMS, *SUBMISSION_PROBLEMS),
    openapi_extra=WITH_OR_WITHOUT_KEY,
)
async def raise_concern(
    request: Request,
    context: ContextDep,
    submission: Submission,
    submitter: SubmitterDep,
    idempotency_key: IdempotencyKey = None,
    test_outcome: SimulatedOutcomeQuery = SimulatedOutcome.ACCEPTED,
) -> Response:
    """Store a concern, encrypted for the duty team. 201 means that it has been flushed to disk.

    **In immediate danger call 999.** Only `immediate_danger`, `reporter.kind`, `children` and `concern.narrative`
    are required. Short and detailed concerns are handled in the same way.

    To send a test, use a test key (`guidance clients add --test`) and `"test": true`. A test gets the normal
    response, or the one set by `test_outcome`; it is listed only with `test=true`, and erased after a day. A test key
    without `"test": true`, or `"test": true` without a test key, is refused (422), so that no real concern is lost as
    a test.
    """
    expect_one_key_at_most(request)
    if test_outcome is not SimulatedOutcome.ACCEPTED:
        return await run_in_threadpool(simulate, request, context, submission, submitter, test_outcome)
    expect_within_limit(request, submitter, submission)
    keys = derive_idempotency_keys(idempotency_key, client=submitter.name)
    networks = networks_to_count(request, submitter)
    result = await context.submissions.submit(
        submission, for_tests=submitter.for_tests, networks=networks, keys=keys, at=context.clock()
    )
    request.scope["state"][LATE] = result.is_late
    return created_response(result, concern_path(result.reference))


@dataclass(frozen=True)
class ReporterRequest:
    """`code` has the reference, the status token, and the networks of the caller."""

    follow_ups: FollowUps
    code: ReporterCode
    now: dt.datetime


async def get_reporter_request(
    request: Request, status_token: StatusTokenDep, reference: TypedReference
) -> ReporterRequest:
    """`FollowUps` checks the token later; a request without one is refused before."""
    context = context_of(request)
    code = ReporterCode(reference, status_token, caller_networks(request))
    return ReporterRequest(context.follow_ups, code, context.clock())


ReporterRequestDep = Annotated[ReporterRequest, Depends(get_reporter_request)]


@router.get(
    "/{reference}",
    tags=FOLLOWING,
    summary="Follow a concern",
    responses=problem_responses(TokenMissing, NoSuchConcern),
)
def read_concern_status(request: ReporterRequestDep) -> ConcernStatus:
    """The status of a concern, for the holder of its status token.

    A wrong reference and a wrong token return the same error.
    """
    return request.follow_ups.read_status(request.code, at=request.now)


@router.get(
    "/{reference}/messages",
    tags=FOLLOWING,
    summary="Read messages from the duty team",
    responses=problem_responses(TokenMissing, NoSuchConcern, ServiceUnavailable),
)
def read_messages(request: ReporterRequestDep) -> ReceivedMessages:
    """Messages from the duty team, decrypted with the status token. To reply, post an addition.

    The team sees when a message was first read, but nothing else about the reader.
    """
    return request.follow_ups.open_messages(request.code, at=request.now)


@router.post(
    "/{reference}/additions",
    tags=FOLLOWING,
    summary="Add to a concern",
    status_code=201,
    response_model=AdditionReceipt,
    responses=problem_responses(*SUBMISSION_PROBLEMS, TokenMissing, NoSuchConcern, ConcernErased, TooManyAdditions),
)
def add_more(
    http_request: Request,
    request: ReporterRequestDep,
    addition: Annotated[Addition, Body(examples=[ADDITION_EXAMPLE])],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """More from the reporter, encrypted like the concern. The duty team sees additions in order of arrival.

    Each addition is acknowledged separately. A concern can have 200 additions, 20,000,000 bytes in total.
    """
    expect_one_key_at_most(http_request)
    concern = request.follow_ups.find(request.code, purpose=ADD)
    result = request.follow_ups.add(concern, addition, idempotency_key=idempotency_key, at=request.now)
    return created_response(result, concern_path(result.reference))
