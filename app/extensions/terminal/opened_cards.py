"""The cards and labels of concerns, fetched from a service and decrypted on this computer."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypedDict

from app.errors import SealedTextMisplaced, UnsealingUnavailable
from app.extensions.terminal.client import DeskClient
from app.models.desk.card_pages import CardScope
from app.models.links import DESK_CARDS
from app.services.concerns.sealing import Unsealer


class OpenedCards(TypedDict):
    """Cards as `find.cjs` reads them, each with the day of its receipt.

    `label` is empty if there is none, or none that could be decrypted. `unopened` counts the cards that could not be
    decrypted.
    """

    reference: str
    cards: list[dict[str, Any]]
    label: str
    changed_at: str
    unopened: int


def fetch_opened(service: DeskClient, unsealer: Unsealer, scopes: Sequence[CardScope]) -> Iterator[OpenedCards]:
    """Yield the opened cards, page by page."""
    for scope in scopes:
        for page in _fetch_pages(service, scope):
            for reference, together in groupby(page, lambda each: str(each["reference"])):
                yield _open_concern(reference, list(together), unsealer)


def _fetch_pages(service: DeskClient, scope: CardScope) -> Iterator[list[dict[str, Any]]]:
    query: dict[str, str] | None = {"scope": scope.value}
    while query is not None:
        page = service.call("GET", DESK_CARDS, query=query)
        yield page["cards"]
        query = query | {"cursor": page["next_cursor"]} if page["next_cursor"] else None


def _open_concern(reference: str, sealed: Sequence[Mapping[str, Any]], unsealer: Unsealer) -> OpenedCards:
    cards, label, unopened = [], "", 0
    for each in sealed:
        card = _open_member(each["card"], "card", reference, unsealer)
        if card is None:
            unopened += 1
        else:
            cards.append({"card": card, "receivedOn": each["received_at"][:10]})
        if each["label"] is not None:
            opened = _open_member(each["label"], "label", reference, unsealer)
            unopened += opened is None
            label = str((opened or {}).get("text", ""))
    return OpenedCards(
        reference=reference, cards=cards, label=label, changed_at=sealed[0]["changed_at"], unopened=unopened
    )


def _open_member(sealed: str, member: str, reference: str, unsealer: Unsealer) -> Mapping[str, Any] | None:
    """Return None if the object `member` is missing, or belongs elsewhere."""
    try:
        opened = unsealer.open(base64.b64decode(sealed), reference=reference).get(member)
    except (UnsealingUnavailable, SealedTextMisplaced):
        return None
    return opened if isinstance(opened, dict) else None
