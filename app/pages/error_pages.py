"""Error pages, which say what happened and who to call.

If the client prefers HTML, a page also replaces a problem response from any other part of the service.
"""

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message

from app.errors import (
    READS,
    ContentTooLarge,
    EditionWithdrawn,
    GuidanceError,
    InternalError,
    InvalidQuery,
    NotFound,
    Problem,
    RateLimited,
    RenditionWithdrawn,
    ServiceUnavailable,
    TokenMissing,
    TooManyTries,
)
from app.http.context import context_of
from app.http.exchange import Exchange
from app.http.json_bodies import InvalidBody
from app.http.negotiation import JSON, quality
from app.http.problem_handlers import NO_STORE, problem_of
from app.http.problems import PROBLEM_MEDIA_TYPE
from app.http.routes import GuidanceRoute, GuidanceRouter
from app.logs import Log, frames_of
from app.pages.languages import (
    ENGLISH,
    PATHS_WITHOUT_PAGES,
    current_language,
    current_path,
    gettext,
    language_of,
    speaking,
    to_translate,
)
from app.pages.page import Site
from app.pages.text_format import send_again

log = Log(__name__)
ERROR_TEXTS = {
    400: (
        to_translate("Sorry, there is a problem"),
        to_translate("Sorry, that did not work. Go back and try again, or call us."),
    ),
    401: (
        to_translate("This form is closed"),
        to_translate("The council is not taking concerns through this form at the moment. Please call."),
    ),
    403: (
        to_translate("Use the form on this website"),
        to_translate("You can only send a concern from the form on this website. Open the form here."),
    ),
    404: (
        to_translate("Page not found"),
        to_translate("There is no page here. If you typed the address, check it for mistakes."),
    ),
    405: (to_translate("This cannot be done here"), to_translate("Please open the form from its own page, or call.")),
    408: (
        to_translate("This took too long"),
        to_translate("Your answers took too long to reach us. Go back and try again, or call us."),
    ),
    410: (to_translate("This edition was withdrawn"), ""),
    413: (
        to_translate("This is too long"),
        to_translate("What you wrote is too long to send. Go back and send less, or call us."),
    ),
    429: (
        to_translate("Please wait a moment"),
        to_translate(
            "Please try again in a minute, or call. "
            "If you were sending a concern, you can safely send it again. We will receive it only once."
        ),
    ),
    500: (
        to_translate("Something went wrong"),
        to_translate(
            "It is our fault, not yours. Please call. "
            "If you were sending a concern, you can safely send it again. We will receive it only once."
        ),
    ),
    503: (
        to_translate("Sorry, this is not available right now"),
        to_translate(
            "Please try again in a few seconds, or call. "
            "If you were sending a concern, you can safely send it again. We will receive it only once."
        ),
    ),
}
MESSAGES_OF_READS = {
    429: to_translate("Please try again in a minute, or call."),
    500: to_translate("It is our fault, not yours. Please call."),
    503: to_translate("Please try again in a few seconds, or call."),
}
"""`ERROR_TEXTS` speak of sending, which a read does not do."""
FILE_TOO_LARGE = (
    "The file is larger than 2 MB. Go back and choose a smaller one: a picture with fewer pixels, such as 1600 in "
    "width, or a document without pictures."
)
SHORT_ERROR_TEXTS = {status: ERROR_TEXTS[status] for status in (401, 413, 429, 503)}
"""In languages with only short pages. Other statuses get the text of 500."""
OF_THE_ADDRESS = (403, 404, 405, 410)
"""Only the address or request was wrong, so the page links to the form."""
WRONG_CODES = to_translate(
    "This code is wrong, and so were many before it. The right code still works: check yours and try it again, or call."
)


class PageRoute(GuidanceRoute):
    """Refuses posts from other sites, and shows errors as pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_with_error_page(request: Request) -> Response:
            try:
                if request.method == "POST" and self.comes_from_elsewhere(request):
                    return self.page_for_elsewhere(request)
                return await handle(request)
            except Exception as error:  # every error becomes a page, and `page_for` logs defects
                return self.page_for(request, error)

        return handle_with_error_page

    def comes_from_elsewhere(self, request: Request) -> bool:
        """False if both `Sec-Fetch-Site` and `Origin` are missing. The referrer policy can make `Origin` `null`."""
        settings, origin = context_of(request).settings, request.headers.get("origin", "null")
        if origin in settings.allowed_origins:
            return False
        fetch_site = request.headers.get("sec-fetch-site")
        if fetch_site is not None:
            return fetch_site not in ("same-origin", "none")
        return origin not in ("null", settings.public_url, own_origin(request))

    def page_for_elsewhere(self, request: Request) -> Response:
        return error_page(Site.of(request), 403)

    def page_for(self, request: Request, error: Exception) -> Response:
        """Log an `error` that is a defect of this service.

        For `TooManyTries`, the page says that the right code still works (except in languages with only short pages),
        and asks for a concern that may be lost.
        """
        kind = problem_type_of(error)
        if kind is InternalError:
            log_defect(request, error)
        message = error.detail if isinstance(error, EditionWithdrawn | RenditionWithdrawn) else None
        if isinstance(error, TooManyTries):
            again = send_again(context_of(request).lost_entries.gap)
            message = f"{gettext(WRONG_CODES)} {again}".rstrip() if current_language().is_whole else again
        page = error_page(Site.of(request), kind.status, message=message)
        if isinstance(error, RateLimited):
            page.headers.update(error.headers)
        return page


class PageRouter(GuidanceRouter):
    """A router of pages. Its routes are in no OpenAPI document."""

    def __init__(self, **options: Any) -> None:
        super().__init__(include_in_schema=False, **{"route_class": PageRoute, **options})

    def form(
        self,
        path: str,
        back: Callable[[Any], Response],
        again: Callable[[Any, Any], Response] | None = None,
        refused: tuple[type[GuidanceError], ...] = (),
    ) -> Callable[[Callable[..., Response | None]], Callable[..., Response]]:
        """Decorate the operation of a posted form. It returns a page, or None, which leads `back`.

        After an error in `refused`, `again` shows the page with the fault and what was typed, or it leads back.
        """

        def decorate(operation: Callable[..., Response | None]) -> Callable[..., Response]:
            @wraps(operation)
            def answer(**given: Any) -> Response:
                site = next(each for each in given.values() if isinstance(each, Site))
                try:
                    page = operation(**given)
                except refused as refusal:
                    page = again(site, refusal) if again else None
                return page or back(site)

            return self.post(path, response_model=None)(answer)

        return decorate


def own_origin(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def log_defect(request: Request, error: Exception) -> None:
    """Log a defect without text of the request."""
    request_id = request.state.request_id
    log.error("unhandled_error", request_id=request_id, error=type(error).__name__, frames=frames_of(error))


def error_page(site: Site, status: int, *, message: str | None = None) -> Response:
    """Return the page of an error.

    A status without texts in this language gets those of 500. 401 and 503 have the headers of the API.
    """
    known = ERROR_TEXTS if current_language().is_whole else SHORT_ERROR_TEXTS
    heading, default_message = known.get(status, ERROR_TEXTS[500])
    if site.request.method in READS and current_language().is_whole:
        default_message = MESSAGES_OF_READS.get(status, default_message)
    response = site.page(
        "error.html",
        status=status,
        here=current_path().partition("?")[0],  # a page never repeats a refused query
        heading=gettext(heading),
        message=message or default_message,
        leads_to_form=status in OF_THE_ADDRESS,
    )
    for kind in (ServiceUnavailable, TokenMissing):
        if status == kind.status:
            response.headers.update(kind.headers)
    return response


def problem_type_of(error: Exception) -> type[Problem]:
    if isinstance(error, GuidanceError):
        return problem_of(error)
    if isinstance(error, RequestValidationError):
        return NotFound if error.errors()[0]["loc"][0] == "path" else InvalidQuery
    if isinstance(error, InvalidBody):
        return error.kind
    if isinstance(error, NO_STORE):
        return ServiceUnavailable
    return InternalError


async def find_language(exchange: Exchange) -> None:
    """Set the language from the path, and make errors pages if the client prefers HTML."""
    scope = exchange.scope
    added = scope["app"].state.context.added
    if scope["path"].startswith(PATHS_WITHOUT_PAGES + added.without_pages):
        return
    language, path = language_of(scope["path"], added.without_pages + added.english_only)
    query = scope["query_string"].decode("latin-1")
    shown = f"{path}?{query}" if query else path
    exchange.ends.enter_context(speaking(language, shown if scope["method"] == "GET" and language.is_whole else ""))
    if language != ENGLISH:
        scope["path"], scope["raw_path"] = path, path.encode()
    accept = Headers(scope=scope).get("accept", "")
    if quality("text/html", accept) > quality(JSON, accept):
        exchange.changes.append(partial(_replace_problem, exchange))


async def _replace_problem(exchange: Exchange, start: Message) -> None:
    """Keep the problem's headers, except those of its content."""
    headers = MutableHeaders(raw=start["headers"])
    if headers.get("content-type") != PROBLEM_MEDIA_TYPE:
        return
    files = context_of(exchange.request).added.files
    is_file = start["status"] == ContentTooLarge.status and exchange.scope["path"] in files
    page = error_page(Site.of(exchange.request), start["status"], message=FILE_TOO_LARGE if is_file else None)
    for name, value in page.headers.items():
        if name.startswith("content-") or name not in headers:
            headers[name] = value
    page.raw_headers = headers.raw
    exchange.held, exchange.instead = [], page
