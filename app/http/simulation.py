"""Simulated outcomes of submissions, for callers with a test key."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.errors import FieldError, InvalidConcern, RateLimited, StoreBusy
from app.http.context import AppContext
from app.http.problem_handlers import problem_response
from app.models.concerns.concern import Concern, SimulatedOutcome
from app.services.access.clients import Principal

SimulatedOutcomeQuery = Annotated[
    SimulatedOutcome,
    Query(
        description="For a test: `busy` returns 503, `too_many` 429 and `refused` 422. Nothing is stored. Requires a "
        "test key.",
        examples=["accepted"],
    ),
]
NO_SIMULATION = FieldError((), "A simulated outcome needs a test key.", source="query", parameter="test_outcome")
SIMULATED_FAULT = FieldError(("concern", "narrative"), "This refusal was requested by the test.")
SIMULATED_WAIT_SECONDS = "5"


def simulate(
    request: Request, context: AppContext, submission: Concern, submitter: Principal, outcome: SimulatedOutcome
) -> Response:
    """Return or raise `outcome`, which must not be `ACCEPTED`. Store nothing.

    Raise `StoreBusy` for `BUSY`, `InvalidConcern` for `REFUSED`, for a client without a test key, and for an invalid
    concern.
    """
    if not submitter.for_tests:
        raise InvalidConcern([NO_SIMULATION])
    context.submissions.check(submission, for_tests=submitter.for_tests, at=context.clock())
    if outcome is SimulatedOutcome.BUSY:
        raise StoreBusy
    if outcome is SimulatedOutcome.REFUSED:
        raise InvalidConcern([SIMULATED_FAULT])
    return problem_response(request, RateLimited, headers={"Retry-After": SIMULATED_WAIT_SECONDS})
