"""Verifying the database: every edition's digest and every chain of disclosures are computed again from the rows."""

from collections.abc import Iterator

from pydantic import ValidationError
from sqlalchemy import Engine
from sqlmodel import Session

from app.models.digest import digest_of
from app.store.contents import read_content
from app.store.editions import EditionKey, every_edition
from app.store.record_checks import find_chain_faults, find_log_faults


def verify_editions(engine: Engine) -> Iterator[tuple[str, str | None]]:
    """Verify each edition of each guide, in order: yield what names it, and its fault, or None."""
    with Session(engine) as session:
        for key, digest in every_edition(session):
            yield f"{key.guide}, edition {key.number}", _find_fault(session, key, digest)


def verify_disclosures(engine: Engine) -> Iterator[tuple[str, str]]:
    """Yield each chain of disclosures that was tampered with: its name, and the fault."""
    with Session(engine) as session:
        yield from find_chain_faults(session)


def verify_log(engine: Engine) -> Iterator[str]:
    """Yield each fault in the order of all chains of disclosures."""
    with Session(engine) as session:
        yield from find_log_faults(session)


def _find_fault(session: Session, key: EditionKey, digest: str) -> str | None:
    try:
        found = digest_of(read_content(session, key))
    except ValidationError:
        return "its rows are no longer a whole edition"
    return None if found == digest else f"its rows now give {found}"
