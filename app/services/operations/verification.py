"""Integrity checks of the whole database, run by `guidance verify`."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, func
from sqlalchemy import select as select_columns
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from app.db.file_copies import find_file_faults
from app.db.schema import find_schema_faults, newest_revision, read_schema_version
from app.errors import SchemaBehind, SetupError
from app.extensions import installed, modules_of
from app.models.audit.rows import AuditEntryRow
from app.models.base import OnStep, counted, show_no_progress, steps_of_part
from app.models.guides.edition_keys import AnyKey, name_of_edition
from app.services.access.row_signing import verify_access
from app.services.audit.known_time import find_known_time_fault
from app.services.desk.file_requests import find_request_faults
from app.services.guides.editions import IS_EDITION, digest_of_stored, every_publication
from app.services.guides.pictures import find_changed_pictures
from app.services.operations.audit_verification import verify_audit_log, verify_checkpoints
from app.services.operations.checkpoints import Checkpoint
from app.services.operations.concern_verification import UNREADABLE, count_concerns, verify_concerns
from app.services.operations.event_verification import verify_events

NOTHING_YET = "There is nothing to verify: the database is empty until the first start."


@dataclass(frozen=True)
class Verified:
    """Counts of what was verified."""

    editions: int
    renditions: int
    concerns: int
    entries: int

    def __str__(self) -> str:
        entries = counted(self.entries, "audit log entry", "audit log entries")
        published = f"{counted(self.editions, 'edition')}, {counted(self.renditions, 'rendition')}"
        return f"{published}, {counted(self.concerns, 'concern')} and {entries}"


def count_verified(engine: Engine) -> Verified:
    with Session(engine) as session:
        published = [is_edition for (is_edition,) in session.execute(select_columns(IS_EDITION))]
        entries = session.exec(select(func.count()).select_from(AuditEntryRow)).one()
        return Verified(published.count(True), published.count(False), count_concerns(session), entries)


def verify_database(engine: Engine) -> Iterator[str]:
    """Yield faults of pages (embedded database) or, if there are none, of the schema.

    First raise `SetupError` if the database is empty or of version 0.2.0, `SchemaBehind` or `SchemaUnknown`.
    """
    with suppress(DBAPIError):  # damaged pages are reported below
        with engine.connect() as connection:
            version = read_schema_version(connection)
        if version is None:
            raise SetupError(NOTHING_YET)
        if version != newest_revision():
            raise SchemaBehind
    if engine.dialect.name == "sqlite":
        faults = find_file_faults(Path(engine.url.database or ""))
        yield from faults
        if faults:  # the schema cannot be read reliably
            return
    with engine.connect() as connection:
        yield from find_schema_faults(connection)


def verify_editions(engine: Engine) -> Iterator[tuple[str, str | None]]:
    """Yield each edition and rendition, with its fault or None."""
    with Session(engine) as session:
        for key, digest in every_publication(session):
            yield name_of_edition(key), _find_fault(session, key, digest)


def find_all_faults(engine: Engine, on_step: OnStep = show_no_progress) -> Iterator[tuple[str, str]]:
    """Check everything but pages and schema: editions and renditions, then what `find_faults` checks."""
    yield from ((name, fault) for name, fault in verify_editions(engine) if fault is not None)
    yield from find_faults(engine, on_step=on_step)


def find_faults(
    engine: Engine, checkpoints: Sequence[tuple[str, Checkpoint]] = (), on_step: OnStep = show_no_progress
) -> Iterator[tuple[str, str]]:
    """Check all but pages, schema, editions and renditions. `checkpoints`, stored elsewhere, are compared too.

    Raise `SetupError` as `verify_access`.
    """
    counts = count_verified(engine)
    part = partial(steps_of_part, on_step, total=counts.entries + counts.concerns)
    for about, fault in verify_audit_log(engine, part(after=0)):
        yield about, fault
    for reference, fault in verify_concerns(engine, part(after=counts.entries)):
        yield f"concern {reference}", fault
    yield from verify_access(engine)
    yield from verify_events(engine)
    yield from verify_checkpoints(engine, checkpoints)
    for each in modules_of("verification", installed().values()):
        yield from each.verify(engine)
    with Session(engine) as session:
        yield from find_changed_pictures(session)
        yield from (("requests for a file", fault) for fault in find_request_faults(session))
        wrong_time = find_known_time_fault(session)
    if wrong_time is not None:
        yield "the time that was last known", wrong_time


def _find_fault(session: Session, key: AnyKey, digest: str) -> str | None:
    try:
        found = digest_of_stored(session, key)
    except UNREADABLE:
        return "its row is no longer a whole edition or rendition"
    return None if found == digest else f"its row now gives {found}"
