"""Lost audit log entries: the log is compared with its last known end, which is in a file outside the database."""

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, TypeAdapter
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.db.tables import table_of
from app.db.writer import Writer
from app.errors import StoreBusy
from app.logs import Log
from app.models.audit.details import EntriesLostDetails, details_of
from app.models.audit.rows import AUDIT, AuditEntryRow, DeskAct
from app.models.base import UtcDateTime, format_utc
from app.services.audit.audit_log import by_itself, record_action
from app.services.key_files import write_key_file

KNOWN_END_FILE = "last-entry.json"
TOLD_FOR = dt.timedelta(days=28)
"""How long a noticed loss stays a warning. Reporters with an unknown code are asked to write again until then."""
MINUTE = dt.timedelta(minutes=1)
_ENTRIES = table_of(AuditEntryRow).c
log = Log(__name__)


class KnownEnd(BaseModel):
    """The last entry of an audit log, as known at the time `at`. `since` is the time of the log's first entry."""

    model_config = ConfigDict(frozen=True)

    position: int
    sha256: str
    since: UtcDateTime
    at: UtcDateTime
    is_restored: bool = False
    """True if the database was restored from a backup, and no start of the service has recorded this yet."""


_KNOWN_ENDS = TypeAdapter(dict[str, KnownEnd])
"""Known ends by the hash of the log's first entry: starting with the wrong database keeps the end of the right one."""


class Gap(NamedTuple):
    """The time, in whole minutes, of which concerns may be lost."""

    since: dt.datetime
    until: dt.datetime


def read_known_ends(folder: Path) -> dict[str, KnownEnd]:
    """Return an empty dictionary if the file is missing or damaged."""
    try:
        return _KNOWN_ENDS.validate_json((folder / KNOWN_END_FILE).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as failure:
        log.warning("known_end_unreadable", error=type(failure).__name__)
        return {}


def write_known_end(folder: Path, name: str, end: KnownEnd) -> None:
    """Write the file durably. Raise `OSError`."""
    content = _KNOWN_ENDS.dump_json(read_known_ends(folder) | {name: end})
    write_key_file(folder / KNOWN_END_FILE, content, replace=True)


def find_end(session: Session, *, at: dt.datetime) -> tuple[str, KnownEnd] | None:
    """Return the name and the end of the audit log, or None if it is empty."""
    entries, order = select(_ENTRIES.position, _ENTRIES.sha256, _ENTRIES.at).limit(1), _ENTRIES.position
    first, last = (session.execute(entries.order_by(each)).first() for each in (order, order.desc()))
    if first is None or last is None:
        return None
    end = KnownEnd(position=last.position, sha256=last.sha256, since=first.at, at=max(at, last.at))
    return first.sha256, end


def find_new_loss(session: Session, folder: Path, *, at: dt.datetime) -> EntriesLostDetails | None:
    """Return which entries the database lacks according to the file in `folder`, if no entry records this yet."""
    ends = read_known_ends(folder)  # before the database, which another process may be adding to
    if not ends:
        return None
    found = find_end(session, at=at)
    known = ends.get(found[0]) if found is not None else None
    after = 0 if known is None else _last_kept(session, known)
    if known is None:  # an empty or another database: everything is missing
        known = max(ends.values(), key=attrgetter("at"))
    elif after == known.position and not known.is_restored:
        return None
    beside = select(_ENTRIES.position, _ENTRIES.at).where(_ENTRIES.position.in_((after, after + 1)))
    times = {row.position: row.at for row in session.execute(beside)}
    since, until = times.get(after, known.since), times.get(after + 1, at)
    return EntriesLostDetails(after=after, known=known.position, since=since, until=until)


def note_restore(
    session: Session, folder: Path, former: tuple[str, KnownEnd] | None, *, at: dt.datetime
) -> EntriesLostDetails | None:
    """Note that the database was restored, and return which entries may be lost; the next start records them.

    `former` is the end of the log before (see `find_end`), or None if it could not be read. Raise `OSError`.
    """
    ends = read_known_ends(folder)
    if former is not None and (former[0] not in ends or ends[former[0]].position < former[1].position):
        write_known_end(folder, *former)
    restored = find_end(session, at=at)
    if restored is not None and (former is None or former[0] != restored[0]):
        name, end = restored
        write_known_end(folder, name, ends.get(name, end).model_copy(update={"is_restored": True}))
    return find_new_loss(session, folder, at=at)


def list_losses(session: Session, *, at: dt.datetime) -> list[EntriesLostDetails]:
    """Return the losses that were recorded in the last `TOLD_FOR`, most recent first. Leave out altered entries."""
    recorded = select(_ENTRIES.act, _ENTRIES.detail).where(
        _ENTRIES.act == DeskAct.ENTRIES_LOST, _ENTRIES.at >= at - TOLD_FOR
    )
    losses = []
    for row in session.execute(recorded.order_by(_ENTRIES.at.desc(), _ENTRIES.position.desc())):
        with suppress(ValueError):
            losses.append(details_of(row))
    return losses


def _last_kept(session: Session, known: KnownEnd) -> int:
    """Entries that took the place of lost ones are later than `known`, since they were added after the loss."""
    stored = session.execute(select(_ENTRIES.sha256).where(_ENTRIES.position == known.position)).scalar()
    if stored == known.sha256:
        return known.position
    kept = select(func.max(_ENTRIES.position)).where(_ENTRIES.position < known.position, _ENTRIES.at <= known.at)
    return session.execute(kept).scalar() or 0


class LostEntries:
    """Keeps the file with the known end up to date, and records losses in the audit log. Each process has one."""

    def __init__(self, folder: Path, writer: Writer, clock: Callable[[], dt.datetime]) -> None:
        self._folder = folder
        self._writer = writer
        self._clock = clock
        self._is_unwritable = False
        self.gap: Gap | None = None

    @property
    def advice(self) -> str:
        """Return the sentence for callers of the API with an unknown code. It is empty if nothing was lost."""
        if self.gap is None:
            return ""
        return (
            f"If you wrote to us between {format_utc(self.gap.since)} and {format_utc(self.gap.until)}, send it again."
        )

    def look(self) -> None:
        """Record a new loss, then update the file. If the database does not respond, the file stays as it is."""
        at = self._clock()
        try:
            with Session(self._writer.engine) as session:
                new = find_new_loss(session, self._folder, at=at)
                losses = [*filter(None, [new]), *list_losses(session, at=at)]
            self.gap = _gap_of(losses)
            if new is not None:
                log.error("entries_lost", count=new.known - new.after)
                if not self._writer.is_alive:  # the process ends, and the next start records the loss
                    return
                self._writer.run(_record, new, at=at)
            self._note(at)
        except (SQLAlchemyError, StoreBusy):
            return
        except OSError as failure:
            if not self._is_unwritable:
                log.warning("known_end_not_written", error=type(failure).__name__)
            self._is_unwritable = True

    def _note(self, at: dt.datetime) -> None:
        with Session(self._writer.engine) as session:
            found = find_end(session, at=at)
        if found is None:
            return
        name, end = found
        known = read_known_ends(self._folder).get(name)
        if known is None or known.is_restored or (known.position, known.sha256) != (end.position, end.sha256):
            write_known_end(self._folder, name, end)


def _gap_of(losses: list[EntriesLostDetails]) -> Gap | None:
    if not losses:
        return None
    since, until = min(each.since for each in losses), max(each.until for each in losses)
    return Gap(since.replace(second=0, microsecond=0), until.replace(second=0, microsecond=0) + MINUTE)


def _record(session: Session, loss: EntriesLostDetails, *, at: dt.datetime) -> None:
    """Do nothing if another process has recorded the same loss with at least as many entries."""
    if not any(each.after == loss.after and each.known >= loss.known for each in list_losses(session, at=at)):
        record_action(session, AUDIT, DeskAct.ENTRIES_LOST, by_itself(at), loss)
