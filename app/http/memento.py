"""Access to the edition that was current at a given time, by Memento (RFC 7089) or by the query parameter `as_of`.

The path of a guide is both the original resource and the TimeGate. Links are absolute URLs, because Memento clients do
not resolve relative ones.
"""

import datetime as dt
from collections.abc import Sequence
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import Response

from app.errors import FaultCode, FieldError, InvalidMoment, NoSuchEdition
from app.http.responses import CACHE_CURRENT, link_header, link_value
from app.models.links import edition_path, guide_path
from app.services.guides.editions import EditionHead

NO_HTTP_DATE = "Accept-Datetime must be an HTTP date, such as Tue, 24 Nov 2026 09:30:00 GMT."
NO_MOMENT = "as_of must be a date such as 2026-11-24, or a time with its zone, such as 2026-11-24T09:30:00Z."
VARY = {"Vary": "Accept, Accept-Datetime"}


def requested_moment(as_of: str | None, accept_datetime: str | None) -> dt.datetime | None:
    """Return the time of `as_of`, otherwise of `accept_datetime`, in UTC. Raise `InvalidMoment` if it is none."""
    if as_of is not None:
        return _parse_as_of(as_of)
    if accept_datetime is None:
        return None
    try:
        moment = parsedate_to_datetime(accept_datetime)
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(dt.UTC)  # `-0000` means UTC
    except (ValueError, OverflowError):
        raise InvalidMoment([FieldError((), NO_HTTP_DATE, FaultCode.NOT_A_DATE, "header", "Accept-Datetime")]) from None


def redirect_to_edition_at(
    history: Sequence[EditionHead], moment: dt.datetime, public_url: str, *, or_next: bool = False
) -> Response:
    """Return a 302 to the edition that was current at `moment`. `history` has all editions, newest first.

    Raise `NoSuchEdition` if there was none; `or_next` redirects then to the oldest that is not withdrawn (RFC 7089).
    """
    head = current_at(history, moment)
    if head is None and or_next:
        head = next((each for each in reversed(history) if each.withdrawn_at is None), None)
    if head is None:
        raise NoSuchEdition
    headers = {
        "Location": edition_path(*head.key),
        "Cache-Control": CACHE_CURRENT,
        "Link": link_header(memento_links(public_url, head.guide)),
        **VARY,
    }
    return Response(status_code=302, headers=headers)


def current_at(history: Sequence[EditionHead], moment: dt.datetime) -> EditionHead | None:
    return next(
        (
            head
            for head in history
            if head.published_at.replace(microsecond=0) <= moment  # HTTP dates have whole seconds
            and (head.withdrawn_at is None or head.withdrawn_at > moment)
        ),
        None,
    )


def memento_links(public_url: str, guide: str) -> dict[str, str]:
    """Return the URLs, by relation, that the TimeGate of `guide` and each Memento of `guide` must link to."""
    original = public_url + guide_path(guide)
    return {"original timegate": original, "timemap": f"{original}/editions.link"}


def memento_headers(head: EditionHead) -> dict[str, str]:
    return {"Memento-Datetime": _http_date(head.published_at)}


def time_map(history: Sequence[EditionHead], public_url: str) -> bytes:
    """List editions not withdrawn, oldest first, in link-format (RFC 6690). `history` must not be empty."""
    common = memento_links(public_url, history[0].guide)
    readable = [head for head in reversed(history) if head.withdrawn_at is None]
    span = (
        {"from": _http_date(readable[0].published_at), "until": _http_date(readable[-1].published_at)}
        if readable
        else {}
    )
    links = [
        link_value(common["original timegate"], "original timegate"),
        link_value(common["timemap"], "self", type="application/link-format", **span),
    ]
    for position, head in enumerate(readable, start=1):
        ends = [word for word, applies in (("first", position == 1), ("last", position == len(readable))) if applies]
        relation = " ".join([*ends, "memento"])
        links.append(link_value(public_url + edition_path(*head.key), relation, datetime=_http_date(head.published_at)))
    return ",\n".join(links).encode() + b"\n"


def _http_date(moment: dt.datetime) -> str:
    return format_datetime(moment.astimezone(dt.UTC), usegmt=True)


def _parse_as_of(as_of: str) -> dt.datetime:
    """A date means the last instant of that day in UTC."""
    try:
        if len(as_of) == len("2026-11-24"):
            return dt.datetime.combine(dt.date.fromisoformat(as_of), dt.time.max, tzinfo=dt.UTC)
        moment = dt.datetime.fromisoformat(as_of)
        if moment.tzinfo is not None:
            return moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidMoment([FieldError((), NO_MOMENT, FaultCode.NOT_A_DATE, "query", "as_of")])
