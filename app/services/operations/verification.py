"""Verifying the database: its pages and rules; digests and hashes, computed again; rows, compared with disclosures."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import Engine
from sqlmodel import Session

from app.models.digest import digest_of
from app.models.progress import OnStep, show_no_progress, steps_of_part
from app.services.desk.signed_notes import Checkpoint
from app.services.operations.checkpoint_verification import verify_checkpoints
from app.services.operations.concern_verification import count_concerns, verify_concerns
from app.store.backup import find_file_faults
from app.store.editions import EditionKey, RenditionKey, every_publication, read_content, read_rendition
from app.store.record_checks import count_disclosures, find_chain_faults, find_log_faults
from app.store.schema import find_schema_faults


def verify_database(engine: Engine) -> Iterator[str]:
    """Yield each fault of the embedded database's pages, else each table, index or rule that is not as declared.

    PostgreSQL verifies pages itself (data checksums). Raises `SchemaBehind` and `SchemaUnknown`.
    """
    if engine.dialect.name == "sqlite":
        faults = find_file_faults(Path(engine.url.database or ""))
        yield from faults
        if faults:  # the rest cannot be read for certain
            return
    with engine.connect() as connection:
        yield from find_schema_faults(connection)


def verify_editions(engine: Engine) -> Iterator[tuple[str, str | None]]:
    """Verify each edition and each rendition of each guide: yield what names it, and its fault, or None."""
    with Session(engine) as session:
        for key, digest in every_publication(session):
            named = f"edition {key.number}" if isinstance(key, EditionKey) else f"rendition {key.language} {key.number}"
            yield f"{key.guide}, {named}", _find_fault(session, key, digest)


def find_faults(
    engine: Engine, checkpoints: Sequence[tuple[str, Checkpoint]] = (), on_step: OnStep = show_no_progress
) -> Iterator[tuple[str, str]]:
    """Yield every fault of the record and of the concerns: what it is about, and the fault.

    `checkpoints` are those that somebody else has stored, each with a name to show.
    """
    with Session(engine) as session:
        rows, concerns = count_disclosures(session), count_concerns(session)
    part = partial(steps_of_part, on_step, total=2 * rows + concerns)
    for chain, fault in verify_disclosures(engine, part(after=0)):
        yield f"disclosures of {chain}", fault
    for fault in verify_log(engine, part(after=rows)):
        yield "record", fault
    for reference, fault in verify_concerns(engine, part(after=2 * rows)):
        yield f"concern {reference}", fault
    yield from verify_checkpoints(engine, checkpoints)


def verify_disclosures(engine: Engine, on_step: OnStep = show_no_progress) -> Iterator[tuple[str, str]]:
    """Yield each chain of disclosures that was tampered with: its name, and the fault."""
    with Session(engine) as session:
        yield from find_chain_faults(session, on_step)


def verify_log(engine: Engine, on_step: OnStep = show_no_progress) -> Iterator[str]:
    """Yield each fault in the order of all chains of disclosures."""
    with Session(engine) as session:
        yield from find_log_faults(session, on_step)


def _find_fault(session: Session, key: EditionKey | RenditionKey, digest: str) -> str | None:
    try:
        content = read_content(session, key) if isinstance(key, EditionKey) else read_rendition(session, key)
    except ValidationError:
        return "its row is no longer a whole edition or rendition"
    found = digest_of(content)
    return None if found == digest else f"its row now gives {found}"
