"""The errors that the client raises. No error contains text from a concern."""

from collections.abc import Mapping
from typing import cast

import httpx

from guidance_client.models import FieldProblem, Problem

PROBLEM_MEDIA_TYPE = "application/problem+json"
UNPROCESSABLE = 422
TOO_MANY = 429


class ClientError(Exception):
    """Base class of every error of this package."""


class NotGenuine(ClientError):
    """A digest, a receipt or a webhook notice is not what the service made."""


class ServiceUnreachable(ClientError):
    """The service did not respond. To repeat a post, use the same `idempotency_key`."""

    def __init__(self, idempotency_key: str | None = None) -> None:
        super().__init__("The service gave no answer. If a child is in immediate danger, call 999.")
        self.idempotency_key = idempotency_key


class ProblemError(ClientError):
    """The service refused the request, with problem details (RFC 9457)."""

    def __init__(self, status: int, problem: Problem, *, idempotency_key: str | None = None) -> None:
        super().__init__(f"{status} {problem['title']}: {problem['detail']}")
        self.status = status
        self.problem = problem
        self.idempotency_key = idempotency_key

    @property
    def type(self) -> str:
        """Type of the problem: the path at which the service explains it."""
        return self.problem["type"]

    @property
    def faults(self) -> list[FieldProblem]:
        """The validation errors, each with the JSON Pointer of its field; empty if there are none."""
        return self.problem.get("errors") or []


class ConcernRefused(ProblemError):
    """The service refused the submission because some fields are not valid: see `faults`."""


class TooManyRequests(ProblemError):
    """The service refused the request because of a rate limit, and still did after every retry."""


def error_of(response: httpx.Response, idempotency_key: str | None = None) -> ProblemError:
    """Return the exception for a response with an error status."""
    kinds: Mapping[int, type[ProblemError]] = {UNPROCESSABLE: ConcernRefused, TOO_MANY: TooManyRequests}
    kind = kinds.get(response.status_code, ProblemError)
    return kind(response.status_code, _problem_of(response), idempotency_key=idempotency_key)


def _problem_of(response: httpx.Response) -> Problem:
    """Return the problem details of the response.

    A response without problem details, such as a proxy's error page, becomes a problem without the text of the
    response.
    """
    if response.headers.get("content-type", "").startswith(PROBLEM_MEDIA_TYPE):
        try:
            found = response.json()
        except ValueError:
            found = None
        if isinstance(found, dict) and {"type", "title", "detail"} <= found.keys():
            return cast(Problem, found)
    return {
        "type": "about:blank",
        "title": response.reason_phrase or "Error",
        "status": response.status_code,
        "detail": "The answer is not one of the service's own. Perhaps a proxy gave it.",
        "instance": "about:blank",
    }
