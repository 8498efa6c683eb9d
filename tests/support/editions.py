"""A second edition of the real guide, with four differences from the first, each of another kind."""

from typing import Any

from starlette.testclient import TestClient

from app.models.clients import Scope
from app.services.clients import NewClient, add_client
from tests.support.clock import A_TUESDAY
from tests.support.publishing import GUIDE

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


def a_key(client: TestClient, *scopes: Scope, name: str = "example-editor") -> dict[str, str]:
    """Add a client with those scopes, and return its request headers."""
    context = client.app.state.context  # type: ignore[attr-defined]  # the service under test
    key = add_client(context.writer, NewClient(name=name, scopes=scopes), at=A_TUESDAY)
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
