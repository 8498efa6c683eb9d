"""The sealed cards (short summaries of concerns), which the desk's JavaScript decrypts and searches in the browser."""

import datetime as dt
from functools import partial
from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.responses import JSONResponse

from app.http.params import Cursor, Limit
from app.http.responses import page_links
from app.models.base import format_utc
from app.models.desk.card_pages import CardParameters
from app.pages.desk.inbox_rows import InboxLine, lines_of
from app.pages.frame import DeskRouter, ReaderVisitDep
from app.services.desk.card_pages import CardQuery, read_cards, require_role_for_cards
from app.services.desk.inbox import list_entries

router = DeskRouter()


@router.get("/cards")
def list_cards_for_page(
    visit: ReaderVisitDep, parameters: Annotated[CardParameters, Query()], limit: Limit = 200, cursor: Cursor = None
) -> Response:
    """Same as `GET /v1/desk/cards`, with `rows`: what the inbox says of each concern, by reference."""
    settings = visit.context.settings
    require_role_for_cards(visit.visitor.scopes, settings.cards)
    query = CardQuery.of(parameters, cursor, limit, now=visit.now)
    slack = dt.timedelta(seconds=2 * settings.writer_wait_seconds)
    links = partial(page_links, visit.request)
    page = read_cards(visit.context.writer, query, actor=visit.actor, slack=slack, links=links)
    entries = visit.read(list_entries, {card.reference for card in page.cards}, now=visit.now)
    rows = {line.entry.reference: row_of(line) for line in lines_of(visit, entries)}
    return JSONResponse(page.model_dump(mode="json") | {"rows": rows})


def row_of(line: InboxLine) -> dict[str, Any]:
    """Return what a row of found concerns shows. Times are in the form of the API."""
    return {
        "state": line.entry.state,
        "danger": line.danger,
        "now": format_utc(line.now),
        "due": line.due and format_utc(line.due),
        "since": line.waits_since and format_utc(line.waits_since),
        "assigned_to": line.entry.assigned_to,
        "source": line.source,
    }
