"""The errors that the client raises. None of them holds a word of a concern."""

from collections.abc import Mapping
from typing import cast

import httpx

from guidance_client.models import FieldProblem, Problem

PROBLEM_MEDIA_TYPE = "application/problem+json"
UNPROCESSABLE = 422
TOO_MANY = 429


class ClientError(Exception):
    """The base of every error of this package."""


class NotGenuine(ClientError):
    """A digest, a receipt or a notice is not what the service made."""


class ServiceUnreachable(ClientError):
    """The service gave no answer. For a post, send it again with the same `idempotency_key`."""

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
        """The kind of problem: a path of the service that explains it."""
        return self.problem["type"]

    @property
    def faults(self) -> list[FieldProblem]:
        """Each fault of a field, with its JSON Pointer; empty if none is named."""
        return self.problem.get("errors") or []


class ConcernRefused(ProblemError):
    """Fields of what was sent cannot be used: see `faults`."""


class TooManyRequests(ProblemError):
    """There were too many requests, and still too many after every retry."""


def error_of(response: httpx.Response, idempotency_key: str | None = None) -> ProblemError:
    """Return the error for an answer with an error status."""
    kinds: Mapping[int, type[ProblemError]] = {UNPROCESSABLE: ConcernRefused, TOO_MANY: TooManyRequests}
    kind = kinds.get(response.status_code, ProblemError)
    return kind(response.status_code, _problem_of(response), idempotency_key=idempotency_key)


def _problem_of(response: httpx.Response) -> Problem:
    """Return the problem details of the answer. A proxy's own page becomes a problem without its words."""
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
