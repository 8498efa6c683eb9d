"""Forms of the desk's pages, filled in and sent by a client in place of a browser."""

import base64
import html
import re
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from sqlmodel import Session, select
from starlette.testclient import TestClient

from app.models.record import DisclosureRow
from app.services.sealing import seal_note
from tests.support.people import OWN_PAGE, context_of_service

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
    sealed = base64.b64encode(seal_note(text, reference, recipients)).decode()
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
    """Return act, client and detail of each disclosure of the chain."""
    with Session(context_of_service(service).engine) as session:
        of_chain = select(DisclosureRow).where(DisclosureRow.chain == chain)
        rows = session.exec(of_chain.order_by(DisclosureRow.number)).all()  # type: ignore[arg-type]  # a column
    return [(row.act, row.client, row.detail) for row in rows]
