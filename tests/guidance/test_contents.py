"""The content of an edition as the database gives it back."""

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlmodel import Session
from starlette.testclient import TestClient

from app.store.contents import read_content
from app.store.editions import EditionKey
from tests.support.publishing import GUIDE, SLUG


@pytest.mark.embedded
def test_items_come_in_their_places_in_whatever_order_the_database_finds_them(
    client: TestClient, service: FastAPI
) -> None:
    """SQLite reverses the rows of every query that does not order them."""
    published = client.get(GUIDE).json()
    with Session(service.state.context.engine) as session:
        session.execute(text("PRAGMA reverse_unordered_selects = ON"))
        content = read_content(session, EditionKey(SLUG, 1))
        session.execute(text("PRAGMA reverse_unordered_selects = OFF"))

    for name in ("cautions", "definitions", "factors", "indicators", "linked_risks", "responsibilities", "contacts"):
        ids = [item.id for item in getattr(content, name)]
        assert ids == [item["id"] for item in published[name]], name
        assert len(ids) > 1, name
