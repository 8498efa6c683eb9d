"""The route of sealed cards: short encrypted summaries, by which the desk finds the concerns about a child."""

import datetime as dt
from functools import partial
from typing import Annotated

from fastapi import Query, Request

from app.errors import CardsRefused
from app.http.auth import ReadingClientDep, actor_of
from app.http.context import ContextDep
from app.http.params import Cursor, Limit
from app.http.problems import problem_responses
from app.http.responses import page_links
from app.models.desk.card_pages import CardParameters, CardsResponse
from app.models.links import DESK_CARDS
from app.models.references import EXAMPLE_REFERENCE
from app.routers.desk.actions import desk_router
from app.services.cursors import A_MOMENT, encode_position
from app.services.desk.card_pages import CardQuery, read_cards, require_role_for_cards

router = desk_router()
AN_EXAMPLE = encode_position((A_MOMENT, A_MOMENT, EXAMPLE_REFERENCE))


@router.get(DESK_CARDS, summary="List sealed cards", responses=problem_responses(CardsRefused))
def list_cards(
    request: Request,
    context: ContextDep,
    client: ReadingClientDep,
    parameters: Annotated[CardParameters, Query()],
    limit: Limit = 200,
    cursor: Annotated[Cursor, Query(examples=[AN_EXAMPLE])] = None,
) -> CardsResponse:
    """A short sealed summary of each concern and addition, to be decrypted and searched by the people of the desk.

    Most recently received concerns first, at most `limit` concerns a page; a page ends early at 1,000,000 bytes of
    cards. Tests are left out. This service does not decrypt the cards, nor see whether two are equal.

    One audit log entry a page, in the chain `cards`, names all its concerns. To fetch later changes, send the
    `next_changed_since` of the first page as `changed_since`: nothing is missed, but a card may be returned twice.
    """
    require_role_for_cards(client.scopes, context.settings.cards)
    actor = actor_of(request, client, context.clock())
    query = CardQuery.of(parameters, cursor, limit, now=actor.at)
    slack = dt.timedelta(seconds=2 * context.settings.writer_wait_seconds)
    return read_cards(context.writer, query, actor=actor, slack=slack, links=partial(page_links, request))
