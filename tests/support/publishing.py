"""The first guide, and functions that publish through the service function that every publisher uses."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import SEED_DIR
from app.http.context import AppContext
from app.models.access.clients import Scope
from app.models.base import digest_of
from app.models.guides.edition_files import read_edition_file
from app.models.guides.edition_keys import EditionKey
from app.models.guides.editions import EditionContent
from app.models.guides.sections import Section
from app.models.guides.seed_files import read_seed_file
from app.services.access.clients import add_client
from app.services.guides.editions import find_history
from app.services.guides.publishing import (
    Published,
    insert_next_edition,
    publish_edition,
    withdraw_published,
)
from tests.support.clock import A_TUESDAY

SLUG = "child-sexual-exploitation"
GUIDE = f"/v1/guides/{SLUG}"
FIRST_EDITION = SEED_DIR / "guides" / SLUG / "1.yaml"
_read_seed_file = lru_cache(read_seed_file)  # the seed is the same in every test: read once in each process


def an_edition(**changes: Any) -> EditionContent:
    """Return the content of the seed's first edition, with the changes of the test."""
    return EditionContent.model_validate(_read_seed_file(FIRST_EDITION, EditionContent).model_dump() | changes)


def publish_next(service: FastAPI, guide: str = SLUG, **changes: Any) -> Published:
    """Publish a guide's next edition by the door that every publisher uses, with whatever the test changes."""
    context: AppContext = service.state.context
    with Session(context.engine) as session:
        number = len(find_history(session, guide=guide)) + 1
    return context.writer.run(
        publish_edition,
        context.reference_data,
        guide,
        an_edition(**changes),
        number,
        at=context.clock(),
        two_people=False,
    )


def withdraw(service: FastAPI, number: int, reason: str = "A number was wrong.", guide: str = SLUG) -> None:
    """Withdraw an edition by the door that everybody uses."""
    context: AppContext = service.state.context
    context.writer.run(withdraw_published, EditionKey(guide, number), reason=reason, at=context.clock())


def first_example(section: Section) -> dict[str, Any]:
    """An item made of the first examples of its model's fields."""
    fields = section.entry.item.model_fields.items()
    return {name: field.examples[0] for name, field in fields if field.examples} | (
        {"position": 1} if "position" in section.entry.item.model_fields else {}
    )


def filled_sections() -> dict[str, Any]:
    """The sections of the seed's edition, and an item of its own in each that is empty there."""
    content = an_edition().model_dump(mode="json")
    return {section.key: content[section.key] or [first_example(section)] for section in Section}


EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "guides").glob("*/1.yaml"))
SUBJECTS = ("neglect", "going_missing", "physical_abuse", "harm_online")
AT_ONCE = 25


def publish_examples(service: FastAPI) -> None:
    """Publish the guides of `examples/guides`."""
    context: AppContext = service.state.context
    for path in EXAMPLES:
        context.writer.run(
            publish_edition,
            context.reference_data,
            path.parent.name,
            read_edition_file(path).content,
            at=A_TUESDAY,
            two_people=False,
        )


def publish_invented(service: FastAPI, number: int) -> None:
    """Publish so many short guides more, with titles from A to Z."""
    context: AppContext = service.state.context

    def write(session: Session, first: int) -> None:
        for place in range(first, min(first + AT_ONCE, number)):
            letter = chr(ord("a") + place % 26)
            content = an_edition(
                title=f"One minute guide to {letter}xample {place}",
                subjects=[SUBJECTS[place % len(SUBJECTS)]],
                factors=[],
                indicators=[],
                definitions=[],
                linked_risks=[],
                responsibilities=[],
                cautions=[],
                introductions={},
            )
            guide = f"{letter}xample-{place}"
            insert_next_edition(session, (), guide, content, digest=digest_of(content), at=A_TUESDAY)

    for first in range(0, number, AT_ONCE):
        context.writer.run(write, first=first)


CONTENT_KEYS = (
    "title",
    "publisher",
    "change_note",
    "review_by",
    "source",
    "related_codes",
    "introductions",
    "cautions",
    "definitions",
    "factors",
    "indicators",
    "linked_risks",
    "responsibilities",
    "contacts",
)
REWORDED = "secrecy"
REMOVED = "gang-association-or-social-isolation"
ADDED = "an-invented-indicator"
SWAPPED = ("missing-or-unexplained-absence", "concerning-online-use-or-messages")


def a_key(client: TestClient, *scopes: Scope, name: str = "example-editor", test: bool = False) -> dict[str, str]:
    """Add a client with those scopes, and return its request headers."""
    context = client.app.state.context  # type: ignore[attr-defined]  # the service under test
    key = add_client(context.writer, name=name, scopes=scopes, test=test, at=A_TUESDAY)
    return {"Authorization": f"Bearer {key}"}


def content_of(client: TestClient, path: str = GUIDE) -> dict[str, Any]:
    """Return the content of the edition at that path, ready to be published again."""
    edition = client.get(path).json()
    return {key: edition[key] for key in CONTENT_KEYS}


def second_edition(client: TestClient) -> dict[str, Any]:
    """Return edition 1 with one indicator reworded, one added, one removed and two that changed places."""
    content = content_of(client)
    indicators = {indicator["id"]: indicator for indicator in content["indicators"]}
    indicators[REWORDED] |= {"text": "Secrecy about whereabouts, friendships, online friends and/or new possessions"}
    del indicators[REMOVED]
    order = list(indicators)
    first, second = (order.index(id_) for id_ in SWAPPED)
    order[first], order[second] = order[second], order[first]
    ordered = [indicators[id_] for id_ in order]
    added = {"id": ADDED, "position": 0, "text": "An invented indicator", "kind": "potential_indicator"}
    numbered = [item | {"position": place} for place, item in enumerate([*ordered, added], start=1)]
    return content | {"change_note": "A test's second edition.", "indicators": numbered}


def publish(client: TestClient, content: dict[str, Any], headers: dict[str, str], guide: str = GUIDE) -> Any:
    """Publish the content as the next edition of the guide, and return the response."""
    etag = client.get(guide).headers.get("ETag")
    return client.post(f"{guide}/editions", json=content, headers=headers | ({"If-Match": etag} if etag else {}))
