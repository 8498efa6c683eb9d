"""Verifying the database: every edition's digest and every chain of disclosures are computed again from the rows."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import Engine
from sqlmodel import Session

from app.models.digest import digest_of
from app.store.contents import read_content
from app.store.disclosures import find_chain_faults
from app.store.editions import EditionKey, every_edition


@dataclass(frozen=True)
class Verdict:
    """The result for one edition; `fault` is None if it is as it was published."""

    key: EditionKey
    digest: str
    fault: str | None


def verify_editions(engine: Engine) -> Iterator[Verdict]:
    """Verify each edition of each guide, in order."""
    with Session(engine) as session:
        for key, digest in every_edition(session):
            yield Verdict(key, digest, _find_fault(session, key, digest))


def verify_disclosures(engine: Engine) -> Iterator[tuple[str, str]]:
    """Yield each chain of disclosures that was tampered with: its name, and the fault."""
    with Session(engine) as session:
        yield from find_chain_faults(session)


def _find_fault(session: Session, key: EditionKey, digest: str) -> str | None:
    try:
        found = digest_of(read_content(session, key))
    except ValidationError:
        return "its rows are no longer a whole edition"
    return None if found == digest else f"its rows now give {found}"
