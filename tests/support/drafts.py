"""Drafts of guides, for tests that write and publish them."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from app.http.context import AppContext
from app.models.clients import Scope
from app.models.editions import EDITION_EXAMPLE
from app.services.clients import NewClient, add_client
from tests.support.clock import A_TUESDAY

SEED_GUIDE = "child-sexual-exploitation"
NEW_GUIDE = "county-lines"


@dataclass(frozen=True)
class Writer:
    """A client that works on the draft of one guide."""

    http: Any
    key: str
    guide: str = NEW_GUIDE

    def call(self, method: str, below: str = "", *, tag: str | None = None, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"} | ({"If-Match": tag} if tag else {})
        options = {} if body is None else {"json": body}
        return self.http.request(method, f"/v1/guides/{self.guide}/draft{below}", headers=headers, **options)

    def save(self, content: Any, *, tag: str | None = None) -> Any:
        return self.call("PUT", tag=tag, body=content)

    def saved(self, content: Any) -> str:
        """Save the content over what is there, and return the ETag."""
        found = self.call("GET")
        response = self.save(content, tag=found.headers.get("etag"))
        assert response.status_code in (200, 201), response.text
        tag: str = response.headers["etag"]
        return tag

    def publish(self, tag: str | None, follows: int | None) -> Any:
        return self.call("POST", "/publication", tag=tag, body={"follows": follows})


def writer_of(
    service: FastAPI, http: Any, name: str, *scopes: Scope, guide: str = NEW_GUIDE, person: str | None = None
) -> Writer:
    context: AppContext = service.state.context
    granted = scopes or (Scope.DRAFT, Scope.PUBLISH)
    return Writer(
        http, add_client(context.writer, NewClient(name=name, scopes=granted, person=person), at=A_TUESDAY), guide
    )


def whole_draft(**changes: Any) -> dict[str, Any]:
    """Return a draft that can be published."""
    return EDITION_EXAMPLE | changes
