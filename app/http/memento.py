"""Access to the edition that was current at a given time, by Memento (RFC 7089) or by the query parameter `as_of`.

In the terms of Memento, the path of a guide is both the original resource and the TimeGate. A numbered edition is a
Memento of the guide, dated by its publication. The list of editions in link-format is the TimeMap.

Links between these resources are absolute URLs, because a TimeMap may be stored elsewhere, and because Memento clients
do not resolve relative links.
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
    """Return the requested time in UTC, or None if both `as_of` and `accept_datetime` are None.

    `as_of` is the query parameter of that name, and `accept_datetime` the header Accept-Datetime. If `as_of` is given,
    ignore `accept_datetime`. Raise `InvalidMoment` if the parameter or header that is used is not a time.
    """
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
    """Return a 302 to the edition of a guide that was current at `moment`.

    `history` has all editions of the guide, newest first. `public_url` begins the absolute links in the response.

    If no edition was current at `moment`, raise `NoSuchEdition`. If `or_next` is True, redirect instead to the oldest
    edition that is not withdrawn, as RFC 7089 requires, and raise `NoSuchEdition` only if all editions are withdrawn.
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
    """Return the newest edition that was published and not yet withdrawn at `moment`, or None if no edition was.

    `history` must have the newest edition first.
    """
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
    """Return the URLs, by relation, that the TimeGate of `guide` and each Memento of `guide` must link to.

    These are the original resource, which is also the TimeGate, and the TimeMap. Both URLs begin with `public_url`.
    """
    original = public_url + guide_path(guide)
    return {"original timegate": original, "timemap": f"{original}/editions.link"}


def memento_headers(head: EditionHead) -> dict[str, str]:
    """Return the header that makes the response of a numbered edition a Memento: its time of publication."""
    return {"Memento-Datetime": http_date(head.published_at)}


def time_map(history: Sequence[EditionHead], public_url: str) -> bytes:
    """Return the TimeMap of a guide in link-format (RFC 6690): every edition that is not withdrawn, oldest first.

    `history` must have all editions of the guide, newest first, and must not be empty. All links begin with
    `public_url`.
    """
    common = memento_links(public_url, history[0].guide)
    readable = [head for head in reversed(history) if head.withdrawn_at is None]
    span = (
        {"from": http_date(readable[0].published_at), "until": http_date(readable[-1].published_at)} if readable else {}
    )
    links = [
        link_value(common["original timegate"], "original timegate"),
        link_value(common["timemap"], "self", type="application/link-format", **span),
    ]
    for position, head in enumerate(readable, start=1):
        ends = [word for word, applies in (("first", position == 1), ("last", position == len(readable))) if applies]
        relation = " ".join([*ends, "memento"])
        links.append(link_value(public_url + edition_path(*head.key), relation, datetime=http_date(head.published_at)))
    return ",\n".join(links).encode() + b"\n"


def http_date(moment: dt.datetime) -> str:
    """Return `moment` as an HTTP date, in GMT and whole seconds."""
    return format_datetime(moment.astimezone(dt.UTC), usegmt=True)


def _parse_as_of(as_of: str) -> dt.datetime:
    """Return `as_of` as a time in UTC. A date means the last instant of that day in UTC.

    Raise `InvalidMoment` if `as_of` is neither a date nor a time with a zone.
    """
    try:
        if len(as_of) == len("2026-11-24"):
            return dt.datetime.combine(dt.date.fromisoformat(as_of), dt.time.max, tzinfo=dt.UTC)
        moment = dt.datetime.fromisoformat(as_of)
        if moment.tzinfo is not None:
            return moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidMoment([FieldError((), NO_MOMENT, FaultCode.NOT_A_DATE, "query", "as_of")])
