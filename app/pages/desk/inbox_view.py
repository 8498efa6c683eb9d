"""The page of the inbox, with its filters and the person's saved views."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from fastapi import Response
from sqlalchemy import Row
from sqlmodel import Session

from app.models.desk.view_tables import SavedViewRow
from app.models.desk.views import ViewFilters
from app.pages.desk.clock_words import due_of, time_left
from app.pages.desk.inbox_filters import FILTER_LABELS, PERSON, Chosen, InboxFilter
from app.pages.desk.page import desk_page
from app.presenters.desk import inbox_entry
from app.services.access.desk_sign_in import PATH
from app.services.desk import actions
from app.services.desk.views import find_look, list_views
from app.store.editions import list_current
from app.store.inbox import position_of
from app.store.people import list_workers
from app.web.context import AppContext
from app.web.cursors import decode_position, encode_position
from app.web.people import Visitor

PAGE_SIZE = 50
MOST_GUIDES = 200


@dataclass(frozen=True)
class InboxPlace:
    """Where a page begins, and when the first page was read: what changed later is for the next look."""

    cursor: str | None = None
    until: str | None = None


@dataclass(frozen=True)
class Typed:
    """The name that was typed for a view, and what is wrong on the page."""

    name: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)


FIRST_PAGE, NOTHING_TYPED = InboxPlace(), Typed()


def inbox_page(
    context: AppContext,
    visitor: Visitor,
    now: dt.datetime,
    chosen: Chosen,
    place: InboxPlace = FIRST_PAGE,
    *,
    typed: Typed = NOTHING_TYPED,
    status: int = 200,
) -> Response:
    """Return one page of the inbox. The concerns that it shows are on the record."""
    with Session(context.engine) as session:
        looked_at = find_look(session, visitor.name)
        views = list_views(session, visitor.name)
        people, guides = list_workers(session), list_current(session, limit=MOST_GUIDES)
    query = chosen.inbox_query(visitor.name, looked_at)
    after = decode_position(place.cursor, query.column_types)
    may_still_come = dt.timedelta(seconds=2 * context.settings.writer_wait_seconds)
    until = place.until or encode_position((now - may_still_come,))
    rows = actions.read_inbox(context.writer, query, actor=visitor.actor, at=now, after=after, limit=PAGE_SIZE)
    page, next_page = rows[:PAGE_SIZE], None
    if len(rows) > PAGE_SIZE:
        place_of_next = {"cursor": encode_position(position_of(page[-1], query)), "until": until}
        next_page = f"{PATH}?{chosen.query}&{urlencode(place_of_next)}"
    return desk_page(
        context,
        "desk_inbox.html",
        status=status,
        visitor=visitor,
        entries=_entries(page, now),
        chosen=chosen,
        choices=_choices(chosen),
        views=[(view.name.replace("-", " "), _address(view), view.name) for view in views],
        people=[(f"{PERSON}{name}", name) for name in people],
        guides=guides,
        is_first=place.cursor is None,
        next_page=next_page,
        until=until,
        looked_at=looked_at,
        typed=typed,
        faults=typed.faults,
    )


def _entries(rows: Sequence[Row[Any]], now: dt.datetime) -> list[tuple[Any, str | None]]:
    """Return each concern with the time that is left, in words."""
    entries = [inbox_entry(row._asdict(), now=now) for row in rows]
    dues = [due_of(entry) for entry in entries]
    return [(entry, time_left(due, now) if due is not None else None) for entry, due in zip(entries, dues, strict=True)]


def _choices(chosen: Chosen) -> list[tuple[str, str, bool]]:
    """Return the address and the label of each choice, and whether it is what the page shows."""
    return [
        (f"{PATH}?show={each.value}", label, each is chosen.show and not chosen.is_narrowed)
        for each, label in FILTER_LABELS.items()
    ]


def _address(view: SavedViewRow) -> str:
    return f"{PATH}?{Chosen(InboxFilter.ALL, ViewFilters.model_validate(view.filters, strict=False)).query}"
