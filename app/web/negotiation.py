"""Other forms of a JSON answer, by `Accept`: each form also has a path of its own, and the request is led there.

So everything behind this (routes, caches, the log) knows one path for one answer. JSON is the answer for a tie, for
what nobody offers and for what cannot be read.
"""

import re
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.models.guidance.guide_responses import DIGEST
from app.models.guidance.sections import Section
from app.web.problem_types import Responses

JSON = "application/json"
QUALITY = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


@dataclass(frozen=True)
class Representation:
    """Another form of an answer."""

    media_type: str
    parameters: str
    suffix: str
    """What its path adds to that of the JSON answer."""
    paths: re.Pattern[str]
    """The paths of the JSON answers that have it."""
    example: str

    @property
    def content_type(self) -> str:
        """The media type with its parameters."""
        return f"{self.media_type}; {self.parameters}"

    def documented(self, beside: Responses | None = None) -> Responses:
        """The `responses` of a route that answers in this form, beside what it tells of its answer in JSON."""
        in_json = (beside or {}).get(200, {}).get("content", {})
        return {200: {"content": in_json | {self.media_type: {"schema": {"type": "string"}, "example": self.example}}}}


GUIDE_PATH = r"/v1/guides/[a-z0-9-]+(?P<numbered>/editions/[0-9]+)?"
MARKDOWN = Representation(
    "text/markdown",
    "charset=utf-8; variant=CommonMark",
    suffix=".md",
    paths=re.compile(GUIDE_PATH),
    example="# ‘One Minute Guide’ to Child Sexual Exploitation (CSE)\n\n"
    "> **Police, in an emergency: call [999](tel:999).** Call when a child or anybody else is in immediate danger.\n",
)
CSV = Representation(
    "text/csv",
    "charset=utf-8; header=present",
    suffix=".csv",
    paths=re.compile(f"{GUIDE_PATH}/({'|'.join(Section)})"),
    example="guide,edition,digest,id,position,text,kind,note,related_codes,related_codes_basis,caution_1\r\n"
    f"child-sexual-exploitation,1,{DIGEST},secrecy,2,"
    '"Secrecy about whereabouts, friendships, significant relationships and/or new possessions",'
    "potential_indicator,,,,Absence of any of the potential indicators of CSE does not mean that a child is not "
    "experiencing abuse and exploitation.\r\n",
)
REPRESENTATIONS = (MARKDOWN, CSV)
AS_MARKDOWN = MARKDOWN.documented()
AS_CSV = CSV.documented()


class NegotiationMiddleware:
    """ASGI middleware that leads a request to the path of the form that it prefers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        form = _form_at(scope)
        if form is None:
            await self.app(scope, receive, send)
            return
        accept = ",".join(Headers(scope=scope).getlist("accept"))
        is_wanted = quality(form.media_type, accept) > quality(JSON, accept)
        if is_wanted:
            scope["path"] += form.suffix
            scope["raw_path"] = scope["path"].encode()
        await self.app(scope, receive, _varied(send, scope["path"] if is_wanted else None))


def quality(media_type: str, accept: str) -> float:
    """The weight that the header gives the type: that of the most specific range (RFC 9110, section 12.5.1)."""
    ranges = ("*/*", media_type.partition("/")[0] + "/*", media_type)  # from the widest to the narrowest
    found = (-1, 0.0)
    for words in accept.lower().split(","):
        name, *parameters = (word.strip() for word in words.split(";"))
        if name in ranges:
            weights = [told[1] for told in map(QUALITY.fullmatch, parameters) if told]
            found = max(found, (ranges.index(name), float(weights[0]) if weights else 1.0))
    return found[1]


def _form_at(scope: Scope) -> Representation | None:
    """The form that the path has, if this is a read of it as it stands.

    A request for another time, by query or by `Accept-Datetime`, is first sent to the edition that was current then.
    """
    if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
        return None
    for form in REPRESENTATIONS:
        at = form.paths.fullmatch(scope["path"])
        if at:
            asks_for_another_time = not at["numbered"] and "accept-datetime" in Headers(scope=scope)
            return None if asks_for_another_time else form
    return None


def _varied(send: Send, path: str | None) -> Send:
    async def varied(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if "accept" not in re.split(r"[,\s]+", headers.get("vary", "").lower()):
                headers.add_vary_header("Accept")
            if path is not None:
                headers["Content-Location"] = path
        await send(message)

    return varied
