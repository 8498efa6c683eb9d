"""Time travel: which edition was current at a moment, by `as_of` and by Memento (RFC 7089).

A guide's own path is both the original resource and its TimeGate; a numbered edition is a Memento of it, from the
moment of its publication; the history, as link-format, is the TimeMap.

Their links are whole addresses: a TimeMap is read far from where it was fetched, and Memento clients take a link as it
stands.
"""

import datetime as dt
from collections.abc import Sequence
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import Response

from app.errors import FieldError, InvalidQuery, NoSuchEdition
from app.presenters.guides import edition_path, guide_path
from app.store.editions import EditionHead
from app.web.responses import CACHE_CURRENT, link_header, link_value

VARY = {"Vary": "Accept, Accept-Datetime"}


def requested_moment(as_of: str | None, accept_datetime: str | None) -> dt.datetime | None:
    """The moment that the caller asks about: the query comes first, then the header. Raises `InvalidQuery`."""
    if as_of is not None:
        return _moment_of(as_of)
    if accept_datetime is None:
        return None
    try:
        moment = parsedate_to_datetime(accept_datetime)
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(dt.UTC)  # `-0000` says that it is UTC
    except (ValueError, OverflowError):
        raise InvalidQuery([FieldError((), "Accept-Datetime is not a date as HTTP writes it (RFC 7089).")]) from None


def redirect_to_edition_at(history: Sequence[EditionHead], moment: dt.datetime, public_url: str) -> Response:
    """302 to the edition that was current at the moment. Raises `NoSuchEdition` where none was published yet."""
    head = current_at(history, moment)
    if head is None:
        raise NoSuchEdition
    headers = {
        "Location": edition_path(head.key),
        "Cache-Control": CACHE_CURRENT,
        "Link": link_header(memento_links(public_url, head.guide)),
        **VARY,
    }
    return Response(status_code=302, headers=headers)


def current_at(history: Sequence[EditionHead], moment: dt.datetime) -> EditionHead | None:
    """The newest edition that was published, and not yet withdrawn, at the moment."""
    return next(
        (
            head
            for head in history
            if head.published_at.replace(microsecond=0) <= moment  # HTTP knows whole seconds
            and (head.withdrawn_at is None or head.withdrawn_at > moment)
        ),
        None,
    )


def memento_links(public_url: str, guide: str) -> dict[str, str]:
    """What a TimeGate and a Memento both link to."""
    original = public_url + guide_path(guide)
    return {"original timegate": original, "timemap": f"{original}/editions.link"}


def memento_headers(head: EditionHead) -> dict[str, str]:
    """The header that makes a numbered edition a Memento."""
    return {"Memento-Datetime": http_date(head.published_at)}


def time_map(history: Sequence[EditionHead], public_url: str) -> bytes:
    """The TimeMap, as link-format (RFC 6690): every edition that can be read, the oldest first."""
    known = memento_links(public_url, history[0].guide)
    readable = [head for head in reversed(history) if head.withdrawn_at is None]
    span = (
        {"from": http_date(readable[0].published_at), "until": http_date(readable[-1].published_at)} if readable else {}
    )
    links = [
        link_value(known["original timegate"], "original timegate"),
        link_value(known["timemap"], "self", type="application/link-format", **span),
    ]
    for place, head in enumerate(readable, start=1):
        ends = [word for word, there in (("first", place == 1), ("last", place == len(readable))) if there]
        relation = " ".join([*ends, "memento"])
        links.append(link_value(public_url + edition_path(head.key), relation, datetime=http_date(head.published_at)))
    return ",\n".join(links).encode() + b"\n"


def http_date(moment: dt.datetime) -> str:
    """The moment as HTTP writes it."""
    return format_datetime(moment.astimezone(dt.UTC), usegmt=True)


def _moment_of(as_of: str) -> dt.datetime:
    """A moment, or the last instant of a day."""
    try:
        if len(as_of) == len("2026-11-24"):
            return dt.datetime.combine(dt.date.fromisoformat(as_of), dt.time.max, tzinfo=dt.UTC)
        moment = dt.datetime.fromisoformat(as_of)
        if moment.tzinfo is not None:
            return moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidQuery([FieldError((), "as_of is a day such as 2026-11-24, or a moment such as 2026-11-24T09:30:00Z.")])
