"""The sealed cards (short summaries of concerns), which the desk's JavaScript decrypts and searches in the browser."""

import datetime as dt
from functools import partial
from typing import Annotated

from fastapi import Query, Response

from app.http.negotiation import JSON
from app.http.params import Cursor, Limit
from app.http.responses import json_bytes, page_links
from app.models.desk.card_pages import CardParameters
from app.pages.frame import DeskRouter, ReaderVisitDep
from app.services.desk.card_pages import CardQuery, read_cards, require_role_for_cards

router = DeskRouter()


@router.get("/cards")
def list_cards_for_page(
    visit: ReaderVisitDep, parameters: Annotated[CardParameters, Query()], limit: Limit = 200, cursor: Cursor = None
) -> Response:
    """Same as `GET /v1/desk/cards`."""
    settings = visit.context.settings
    require_role_for_cards(visit.visitor.scopes, settings.cards)
    query = CardQuery.of(parameters, cursor, limit, now=visit.now)
    slack = dt.timedelta(seconds=2 * settings.writer_wait_seconds)
    links = partial(page_links, visit.request)
    page = read_cards(visit.context.writer, query, actor=visit.actor, slack=slack, links=links)
    return Response(json_bytes(page), media_type=JSON)
