"""The cards and labels of concerns, fetched from a service and decrypted on this computer."""

import base64
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from app.cli.desk.card_facts import CardFacts, day_of, facts_of
from app.cli.desk.card_search import SearchText, search_text_of
from app.cli.desk.client import DeskClient
from app.errors import SealedTextMisplaced, UnsealingUnavailable
from app.models.desk.cards import CardScope
from app.models.links import DESK_CARDS
from app.services.concerns.sealing import Unsealer

CHILDREN_NAMED = 3
UNNAMED = "child not named"
DAYS_OF_A_YEAR = 365.2425


@dataclass(frozen=True)
class OpenedCards:
    """The decrypted cards of one concern and of its additions, with the concern's label and time of change.

    Each card comes with the day on which the service received the concern or addition. `label` is empty if the concern
    has no label, or if the label could not be decrypted. `unopened` is the number of cards and labels of the concern
    that could not be decrypted.
    """

    reference: str
    cards: tuple[tuple[Mapping[str, Any], dt.date], ...]
    label: str
    changed_at: str
    unopened: int

    @cached_property
    def facts(self) -> CardFacts:
        """The facts in the cards, for the comparison with another concern."""
        return facts_of(self.cards)

    @cached_property
    def search_text(self) -> SearchText:
        """The words that a search can find in the cards and the label."""
        return search_text_of((card for card, _ in self.cards), self.label)

    def whom(self, today: dt.date) -> str:
        """Return the names of the first three children in the cards, each with the age, if known.

        If the day of birth is known, the age is that on the day `today`. Otherwise it is the age in the card or,
        without one, the description of the age in the card. If there are more children, end with the number of the
        others. If there is no child, return `UNNAMED`.
        """
        children = [(child, day) for card, day in self.cards for child in card.get("children") or ()]
        named = [_name_and_age(child, today) for child, _ in children]
        shown = named[:CHILDREN_NAMED] or [UNNAMED]
        more = len(named) - CHILDREN_NAMED
        return "; ".join(shown) + (f" and {more} more" if more > 0 else "")


def fetch_opened(service: DeskClient, unsealer: Unsealer, scopes: Sequence[CardScope]) -> Iterator[OpenedCards]:
    """Fetch all cards of `scopes`, page by page, and yield each concern with its decrypted cards.

    The service records each page in the audit log. If no identity decrypts a card or label, or if it belongs to another
    concern, leave it out and count it in `OpenedCards.unopened`. Raise `DeskRequestFailed` if the service refuses a
    request, or `DeskUnreachable` if there is no response.
    """
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
            cards.append((card, dt.date.fromisoformat(each["received_at"][:10])))
        if each["label"] is not None:
            opened = _open_member(each["label"], "label", reference, unsealer)
            unopened += opened is None
            label = str((opened or {}).get("text", ""))
    return OpenedCards(reference, tuple(cards), label, sealed[0]["changed_at"], unopened)


def _open_member(sealed: str, member: str, reference: str, unsealer: Unsealer) -> Mapping[str, Any] | None:
    """Decrypt the base64 file `sealed`, and return the object in the field `member` of the document.

    Return None if the file cannot be decrypted, belongs to another concern than `reference`, or has no such object.
    """
    try:
        opened = unsealer.open(base64.b64decode(sealed), reference=reference).get(member)
    except (UnsealingUnavailable, SealedTextMisplaced):
        return None
    return opened if isinstance(opened, dict) else None


def _name_and_age(child: Mapping[str, Any], today: dt.date) -> str:
    name = " ".join(child.get("names") or child.get("other_names") or ()) or UNNAMED
    born = day_of(child.get("born") or "")
    age = child.get("age") if born is None else int((today - born).days / DAYS_OF_A_YEAR)
    known = age if age is not None and age >= 0 else child.get("age_described")
    return name if known is None else f"{name}, {known}"
