"""The duty team and its workers, for tests that act in their place, by the API or by the forms of the pages."""

import base64
import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from sqlmodel import Session, select
from starlette.testclient import TestClient

from app.http.context import AppContext
from app.models.access.clients import Scope
from app.models.audit.details import sentence_of
from app.models.audit.entry_kinds import EntryKind
from app.models.audit.rows import AuditEntryRow
from app.models.desk.exports import NewFileRequest
from app.services.access.clients import add_client
from app.services.audit.audit_log import Actor
from app.services.clock.working_days import WorkingDays
from app.services.concerns.keys import create_identity
from app.services.concerns.sealing import seal_written
from app.services.desk.file_requests import add_request
from tests.support.clock import A_TUESDAY
from tests.support.people import OWN_PAGE, context_of_service
from tests.support.service import a_service
from tests.support.threaded import run_server


@dataclass(frozen=True)
class Desk:
    """The duty team: a client with every scope of the desk."""

    http: Any
    headers: dict[str, str]

    def get(self, path: str, **headers: str) -> Any:
        """Send GET to a path of the desk, with extra headers if given."""
        return self.http.get(f"/v1/desk{path}", headers=self.headers | headers)

    def post(self, path: str, body: Any) -> Any:
        """Send POST with the body to a path of the desk."""
        return self.http.post(f"/v1/desk{path}", json=body, headers=self.headers)

    def act(self, reference: str, action: str, **body: Any) -> Any:
        """Send POST with the body for an action on a concern, for example `acknowledgement`."""
        return self.http.post(f"/v1/desk/concerns/{reference}/{action}", json=body, headers=self.headers)


def desk_of(service: FastAPI, http: Any) -> Desk:
    """Return a duty team that works with the service."""
    context: AppContext = service.state.context
    scopes = (Scope.READ, Scope.WRITE, Scope.AUDIT)
    key = add_client(context.writer, name="example-desk", scopes=scopes, at=A_TUESDAY)
    return Desk(http, {"Authorization": f"Bearer {key}"})


def worker_of(service: FastAPI, http: object, person: str | None, *scopes: Scope) -> Desk:
    """Return the desk as that person sees it, with a client of their own; without scopes, to read and to write."""
    context: AppContext = service.state.context
    name = f"desk-of-{(person or 'nobody').split()[0].lower()}"
    granted = scopes or (Scope.READ, Scope.WRITE)
    key = add_client(context.writer, name=name, scopes=granted, person=person, at=A_TUESDAY)
    return Desk(http, {"Authorization": f"Bearer {key}"})


DESKS = ("cannot read", "reads")


@dataclass(frozen=True)
class Served:
    """A served desk, and the file of the team's identity if the service cannot read concerns."""

    service: FastAPI
    url: str
    identity: Path | None


@contextmanager
def served_desk(folder: Path, kind: str) -> Iterator[Served]:
    """Serve a desk of that kind of `DESKS` in the folder."""
    identity = folder / "keys" / "team.txt"
    keys = {} if kind == "reads" else {"seal_to": (create_identity(identity, at=A_TUESDAY),)}
    service = a_service(data_dir=folder / "data", **keys)
    with run_server(service) as address:
        yield Served(service, address.replace("127.0.0.1", "localhost"), identity if keys else None)


def ask_for_file(service: Any, asker: str = "person", **changes: Any) -> str:
    """Write down a request for the file of one person, and return the path of its page."""
    context: AppContext = service.state.context
    fields: dict[str, Any] = {"asker": asker, "about": "SAR 12: everything", "came_on": A_TUESDAY.date()} | changes
    actor = Actor("passkey:desk/Robin Example", "192.0.2.1", context.clock())
    number = context.writer.run(add_request, NewFileRequest(**fields), WorkingDays(), actor)
    return f"/desk/person-file/{number}"


SEEN = re.compile(r'name="seen" value="([0-9]+)"')
KEY = re.compile(r'name="key" value="([^"]+)"')
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def send(client: TestClient, path: str, **fields: str) -> Any:
    """Send a form from the desk's own page."""
    return client.post(path, content=urlencode(fields), headers=OWN_PAGE | FORM)


def press(client: TestClient, reference: str, act: str, **fields: str) -> Any:
    """Send a form about the concern."""
    return send(client, f"/desk/concerns/{reference}/{act}", **fields)


def sealed_note(text: str, reference: str, *recipients: str) -> dict[str, str]:
    """Return the fields of a note that was sealed where it was typed."""
    sealed = base64.b64encode(seal_written(EntryKind.NOTE, text, reference, recipients)).decode()
    return {"sealed": sealed, "recipients": " ".join(recipients)}


def look(client: TestClient, reference: str) -> str:
    """Look at the concern, and return what its forms say was seen."""
    page: str = client.get(f"/desk/concerns/{reference}").text
    (seen,) = set(SEEN.findall(page))
    return str(seen)


def text_of(response: Any) -> str:
    """Return the words of a page, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def acts_on(service: FastAPI, chain: str) -> list[tuple[str, str, str]]:
    """Return act, client and detail of each audit log entry of the chain."""
    with Session(context_of_service(service).engine) as session:
        of_chain = select(AuditEntryRow).where(AuditEntryRow.chain == chain)
        rows = session.exec(of_chain.order_by(AuditEntryRow.number)).all()  # type: ignore[arg-type]  # a column
    return [(row.act, row.client, sentence_of(row)) for row in rows]
