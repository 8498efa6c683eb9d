"""The first guide, and functions that publish through the service function that every publisher uses."""

from functools import lru_cache
from typing import Any

from fastapi import FastAPI
from sqlmodel import Session

from app.config import SEED_DIR
from app.http.context import AppContext
from app.models.editions import EditionContent
from app.models.seed_files import read_seed_file
from app.services.editions import EditionKey, find_history
from app.services.publishing import NewEdition, Published, publish_edition, withdraw_published

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
    return publish_edition(
        context.writer,
        context.reference_data,
        NewEdition(guide, an_edition(**changes), number),
        at=context.clock(),
    )


def withdraw(service: FastAPI, number: int, reason: str = "A number was wrong.", guide: str = SLUG) -> None:
    """Withdraw an edition by the door that everybody uses."""
    context: AppContext = service.state.context
    withdraw_published(context.writer, EditionKey(guide, number), reason=reason, at=context.clock())
