"""Deprecation of a route: every response of it says since when (RFC 9745), until when (RFC 8594), and what to read."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any, TypeVar

from starlette.types import Message, Send

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])
SHORTEST_NOTICE = dt.timedelta(days=365)
DEPRECATION_ATTRIBUTE = "deprecation"


@dataclass(frozen=True)
class Deprecation:
    """When the route was deprecated, when it ends (a year later or more; None: not decided), and what to read."""

    since: dt.datetime
    ends: dt.datetime | None
    read: str

    def __post_init__(self) -> None:
        if self.ends is not None and self.ends - self.since < SHORTEST_NOTICE:
            raise ValueError("a route ends a year after its deprecation or later")

    def fields(self) -> list[tuple[bytes, bytes]]:
        """Return the header fields. `Deprecation` is a date of structured fields (RFC 9651), `Sunset` an HTTP date."""
        relations = ["deprecation", *(["sunset"] if self.ends is not None else [])]
        fields = [("deprecation", f"@{int(self.since.timestamp())}")]
        if self.ends is not None:
            fields.append(("sunset", format_datetime(self.ends.astimezone(dt.UTC), usegmt=True)))
        fields += [("link", f'<{self.read}>; rel="{relation}"') for relation in relations]
        return [(name.encode(), value.encode()) for name, value in fields]

    def wrap(self, send: Send) -> Send:
        """Wrap `send`: add the fields to the response, an error too."""

        async def send_with_fields(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self.fields()]}
            await send(message)

        return send_with_fields


def deprecate(deprecation: Deprecation) -> Callable[[_Endpoint], _Endpoint]:
    """Mark the function of a route as deprecated, in the OpenAPI document and in every response. Goes below the route.

    The route stays: a caller that does not read the fields notices nothing before the end.
    """

    def mark(endpoint: _Endpoint) -> _Endpoint:
        setattr(endpoint, DEPRECATION_ATTRIBUTE, deprecation)
        return endpoint

    return mark


def deprecation_of(endpoint: Callable[..., Any]) -> Deprecation | None:
    """Return the deprecation of the function, or None."""
    found: Deprecation | None = getattr(endpoint, DEPRECATION_ATTRIBUTE, None)
    return found
