"""The duty team, for tests that act in its place."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from app.http.context import AppContext
from app.models.clients import Scope
from app.services.clients import NewClient, add_client
from tests.support.clock import A_TUESDAY


@dataclass(frozen=True)
class Desk:
    """The duty team: a client with every scope of the desk."""

    http: Any
    headers: dict[str, str]

    def get(self, path: str, **headers: str) -> Any:
        """Send GET to a path of the desk, with extra headers if given."""
        return self.http.get(f"/v1/desk{path}", headers=self.headers | headers)

    def act(self, reference: str, action: str, **body: Any) -> Any:
        """Send POST with the body for an action on a concern, for example `acknowledgement`."""
        return self.http.post(f"/v1/desk/concerns/{reference}/{action}", json=body, headers=self.headers)


def desk_of(service: FastAPI, http: Any) -> Desk:
    """Return a duty team that works with the service."""
    context: AppContext = service.state.context
    scopes = (Scope.READ, Scope.WRITE, Scope.AUDIT)
    key = add_client(context.writer, NewClient(name="example-desk", scopes=scopes), at=A_TUESDAY)
    return Desk(http, {"Authorization": f"Bearer {key}"})
