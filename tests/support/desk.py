"""The duty team, as tests act for it."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from app.models.clients import Scope
from app.services.access.clients import add_client
from app.web.context import AppContext
from tests.support.clock import A_TUESDAY


@dataclass(frozen=True)
class Desk:
    """The duty team: a client with every scope that the desk knows."""

    http: Any
    headers: dict[str, str]

    def get(self, path: str, **headers: str) -> Any:
        """Read at the desk, with more headers where the test needs any."""
        return self.http.get(f"/v1/desk{path}", headers=self.headers | headers)

    def act(self, reference: str, what: str, **told: Any) -> Any:
        """Act on a concern."""
        return self.http.post(f"/v1/desk/concerns/{reference}/{what}", json=told, headers=self.headers)


def desk_of(service: FastAPI, http: Any) -> Desk:
    """A duty team that works with the service."""
    context: AppContext = service.state.context
    scopes = (Scope.READ, Scope.WRITE, Scope.AUDIT)
    key = add_client(context.writer, name="example-desk", scopes=scopes, at=A_TUESDAY)
    return Desk(http, {"Authorization": f"Bearer {key}"})
