"""People who work at the desk, each with a key of their own."""

from fastapi import FastAPI

from app.http.context import AppContext
from app.models.clients import Scope
from app.services.clients import NewClient, add_client
from tests.support.clock import A_TUESDAY
from tests.support.desk import Desk


def worker_of(service: FastAPI, http: object, person: str | None, *scopes: Scope) -> Desk:
    """Return the desk as that person sees it, with a client of their own; without scopes, to read and to write."""
    context: AppContext = service.state.context
    name = f"desk-of-{(person or 'nobody').split()[0].lower()}"
    granted = scopes or (Scope.READ, Scope.WRITE)
    key = add_client(context.writer, NewClient(name=name, scopes=granted, person=person), at=A_TUESDAY)
    return Desk(http, {"Authorization": f"Bearer {key}"})
