"""What goes wrong on a page, as a page: what happened, in words for people, and whom to call."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime

from app.errors import EditionWithdrawn, GuidanceError
from app.logs import Log, frames_of
from app.pages.page import private_page
from app.web.context import AppContext
from app.web.json_body import InvalidBody
from app.web.problem_types import (
    BUSY,
    INTERNAL_ERROR,
    INVALID_QUERY,
    NOT_FOUND,
    PROBLEM_FOR,
    TOKEN_REQUIRED,
    ProblemType,
)
from app.web.problems import CHALLENGES, RETRY_AFTER_SECONDS

log = Log(__name__)

FORBIDDEN = 403
UNAUTHORIZED = 401

NOTHING_IS_LOST = (
    "If you were sending a concern, reload this page: what you wrote is sent again, and it is kept once, however often "
    "you send it."
)
ERROR_TEXTS = {
    400: ("This cannot be read", "What your browser sent cannot be read. Please go back and try again, or telephone."),
    401: ("This form is closed", "The council does not take concerns by this form at present. Please telephone."),
    403: (
        "This came from another site",
        "A concern is sent from this site’s own form. Please open the form here.",
    ),
    404: ("Page not found", "There is no page here. If you typed the address, check it for a slip."),
    405: ("This cannot be done here", "Please open the form from its own page, or telephone."),
    408: ("This took too long", "What you sent did not arrive in time. Please go back and try again, or telephone."),
    410: ("This edition was withdrawn", ""),
    413: ("This is too long", "What you wrote is too long to be sent. Please go back and send less, or telephone."),
    429: ("Please wait a little", f"Please try again in a minute, or telephone. {NOTHING_IS_LOST}"),
    500: ("Something went wrong", f"It is our fault, not yours. Please telephone. {NOTHING_IS_LOST}"),
    503: ("Not available just now", f"Please try again in a few seconds, or telephone. {NOTHING_IS_LOST}"),
}


class PageRoute(APIRoute):
    """A route whose errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, with an answer for whatever it raises."""
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                if request.method == "POST" and comes_from_another_site(request):
                    return error_page(request.app.state.parts, FORBIDDEN)
                return await handle(request)
            except Exception as error:  # the last catch of a page; what is no defect of this service has its own kind
                return _trouble(request, error)

        return answered


def error_page(parts: AppContext, status: int, *, words: str | None = None) -> Response:
    """The page for that status, with other words where it has any."""
    heading, usual = ERROR_TEXTS.get(status, ERROR_TEXTS[500])
    response = private_page(
        parts,
        "trouble.html",
        status=status,
        heading=heading,
        words=words or usual,
        contacts=list(parts.helpline.contacts()),
    )
    if status == BUSY.status:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if status == UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = CHALLENGES[TOKEN_REQUIRED]
    return response


def comes_from_another_site(request: Request) -> bool:
    """Whether a browser says that another site's page posted this, and the settings do not name that site.

    The browser's own word (`Sec-Fetch-Site`) comes first; `Origin` may be withheld, as these pages ask for it to be.
    """
    settings = request.app.state.parts.settings
    origin = request.headers.get("origin", "null")
    if origin in settings.allowed_origins:
        return False
    told = request.headers.get("sec-fetch-site")
    if told is not None:
        return told not in ("same-origin", "none")
    return origin not in ("null", settings.public_url, str(request.base_url).rstrip("/"))


def _trouble(request: Request, error: Exception) -> Response:
    parts: AppContext = request.app.state.parts
    kind = _kind_of(error)
    if kind is INTERNAL_ERROR:
        log.error("defect", request_id=request.state.request_id, error=type(error).__name__, frames=frames_of(error))
    return error_page(parts, kind.status, words=error.reason if isinstance(error, EditionWithdrawn) else None)


def _kind_of(error: Exception) -> ProblemType:
    if isinstance(error, GuidanceError):
        return PROBLEM_FOR[type(error)]
    if isinstance(error, RequestValidationError):
        return NOT_FOUND if error.errors()[0]["loc"][0] == "path" else INVALID_QUERY
    if isinstance(error, InvalidBody):
        return error.kind
    return BUSY if isinstance(error, DBAPIError | NoConnectionInTime) else INTERNAL_ERROR
