"""Changes of a concern, each on its record first."""

import datetime as dt
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, insert
from sqlalchemy import select as select_columns
from sqlmodel import Session, and_, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from app.db.database import BUSY_MILLISECONDS
from app.db.tables import table_of
from app.db.writer import Writer
from app.errors import ChangedMeanwhile, ClockInDoubt
from app.logs import Log
from app.models.concerns import ConcernRow
from app.models.record import (
    AUDIT,
    CheckpointRow,
    DeskAct,
    DisclosureRow,
    KnownTimeRow,
    NotedTime,
    Remnants,
)
from app.models.record_details import (
    SENDING_ACTS,
    TO_SEE_FIRST,
    Details,
    LogDetails,
    others_acts_to_see,
)
from app.services.chains import End, begin_chains, find_end, write_end

MOST_SHOWN = 50


def expect_seen(session: Session, chain: str, act: DeskAct, *, client: str, seen: int) -> None:
    """Raise `ChangedMeanwhile` if acts of others that this one rests on came after the one of that number.

    The same person's own act counts where the same form may have been sent twice.
    """
    by_others, own = others_acts_to_see(act), {act} & SENDING_ACTS
    if (by_others or own) and session.exec(_later(chain, client, seen, by_others, own).limit(1)).first() is not None:
        raise ChangedMeanwhile


def list_meanwhile(session: Session, chain: str, *, client: str, seen: int) -> list[DisclosureRow]:
    """Return what came after the act of that number, in order: what others changed, and what the person sent."""
    return list(session.exec(_later(chain, client, seen, TO_SEE_FIRST, SENDING_ACTS).limit(MOST_SHOWN)))


def _later(
    chain: str, client: str, seen: int, of_others: Collection[DeskAct], own: Collection[DeskAct]
) -> SelectOfScalar[DisclosureRow]:
    """Select the acts after that number: of those kinds by others, and of those by the client itself."""
    is_own, act = col(DisclosureRow.client) == client, col(DisclosureRow.act)
    wanted = or_(and_(~is_own, act.in_(of_others)), and_(is_own, act.in_(own)))
    later = select(DisclosureRow).where(DisclosureRow.chain == chain, DisclosureRow.number > seen, wanted)
    return later.order_by(col(DisclosureRow.number))


# The chains of disclosures: appending to them and reading them.


_ROWS = table_of(DisclosureRow)
# Executed with every concern: built once. Writers take turns, so the next position is nobody else's.
_NEXT_POSITION = select_columns(func.coalesce(func.max(_ROWS.c.position), 0) + 1).scalar_subquery()
_NEW_DISCLOSURE = insert(_ROWS).values(position=_NEXT_POSITION)
NO_DETAILS = "{}"


@dataclass(frozen=True)
class Actor:
    """Who acts and when: the client, with the person after the first slash if one is known, and its address."""

    client: str
    address: str
    at: dt.datetime
    seen: int | None = None
    """The number of the last act in the chain that the person was shown, for acts that rest on it."""

    @property
    def person(self) -> str:
        """The name of the person that acts; without one, the name of the client."""
        client, slash, person = self.client.partition("/")
        return person if slash else client


REPORTER = "reporter"
"""No network address and no name of a reporter is stored."""
by_reporter = partial(Actor, REPORTER, "not recorded")
by_itself = partial(Actor, "service", "this machine")
"""What the service does without anybody."""


def record_disclosure(session: Session, chain: str, act: DeskAct, actor: Actor, details: Details | None = None) -> End:
    """Append the act to the chain, in the transaction of the act itself, and return its number and hash.

    An act that changes a row is recorded first: the rules of the database let the row change only after it.
    Raises `ChangedMeanwhile` if the actor has not seen what the act rests on.
    """
    session.flush()  # what acts before this one changed
    former = find_end(session, chain)
    if actor.seen is not None:
        expect_seen(session, chain, act, client=actor.client, seen=actor.seen)
    columns, end = next_row(chain, former, act, actor, details)
    session.connection().execute(_NEW_DISCLOSURE, columns)
    write_end(session, chain, end, former)
    return end


def record_reading(session: Session, chain: str, act: DeskAct, actor: Actor, details: Details | None = None) -> None:
    """Record that many rows were read, before anybody sees them. All writers would wait if they were read here."""
    record_disclosure(session, chain, act, actor, details)


def insert_first_disclosures(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Begin a chain with each of the rows."""
    session.connection().execute(_NEW_DISCLOSURE, [dict(row) for row in rows])
    begin_chains(session, [(row["chain"], End(row["number"], row["sha256"])) for row in rows])


@dataclass(frozen=True)
class RecordPage:
    """A page of the record, of one chain and one client or of all, after that position in the order of all acts."""

    chain: str | None
    client: str | None
    after: int
    limit: int


def read_disclosures(writer: Writer, page: RecordPage, *, actor: Actor) -> list[DisclosureRow]:
    """Return the rows of the page, and one more if there is a next page. This is recorded too.

    A client's rows are those of every person that acted through it.
    """
    statement = select(DisclosureRow).where(_ROWS.c.position > page.after)
    if page.chain is not None:
        statement = statement.where(DisclosureRow.chain == page.chain)
    if page.client is not None:
        person_of_client = func.substr(_ROWS.c.client, 1, len(page.client) + 1) == f"{page.client}/"
        statement = statement.where(or_(_ROWS.c.client == page.client, person_of_client))
    with Session(writer.engine) as session:
        rows = list(session.exec(statement.order_by(_ROWS.c.position).limit(page.limit + 1)))
    details = LogDetails(chain=page.chain, client=page.client)
    writer.run(record_reading, AUDIT, DeskAct.DISCLOSURES_READ, actor, details)
    return rows


def read_end_of_chain(session: Session, chain: str, *, actor: Actor) -> End:
    """Return the length and the last hash of a chain, for a signed statement."""
    end = find_end(session, chain)
    record_disclosure(session, AUDIT, DeskAct.STATEMENT_SIGNED, actor, LogDetails(chain=chain))
    return end


def list_last_acts(session: Session, chain: str, *, limit: int) -> list[DisclosureRow]:
    """Return the last rows of the chain, the newest first."""
    rows = select(DisclosureRow).where(DisclosureRow.chain == chain)
    return list(session.exec(rows.order_by(col(DisclosureRow.number).desc()).limit(limit)))


def next_row(
    chain: str, former: End, act: DeskAct, actor: Actor, details: Details | None
) -> tuple[dict[str, Any], End]:
    """Return the columns of the row that follows that end of the chain, and the end after it."""
    columns = {
        "chain": chain,
        "number": former.number + 1,
        "at": actor.at,
        "client": actor.client,
        "act": act.value,
        "address": actor.address,
        "detail": NO_DETAILS if details is None else details.stored,
    }
    end = former.after(columns)
    return columns | {"previous_sha256": former.sha256, "sha256": end.sha256}, end


# Changes of a concern, each on its record first.


def record_change(
    session: Session, concern: ConcernRow, act: DeskAct, actor: Actor, details: Details | None = None
) -> End:
    """Append an act that changes the concern to its chain, before the change itself, and note when it was."""
    end = record_disclosure(session, concern.reference, act, actor, details)
    concern.changed_at = actor.at
    return end


# The clock. What has a period is erased for good, so a wrong clock must not end it.


MOST_APART = dt.timedelta(days=1)
"""A clock that jumps further, or a service that was away for longer, waits for a person."""
MOST_AHEAD = MOST_APART + dt.timedelta(hours=2)
"""A service that runs signs a checkpoint each day, so the last known time is no further ahead of the newest act."""
CHECK_THE_CLOCK = (
    "Nothing was erased. Check the date of this machine; when it is right, run guidance desk purge --clock-checked."
)

NOTE_THE_TIME = "Check the date of this machine; when it is right, run guidance desk purge --clock-checked."
_NEWEST_ACT = select(DisclosureRow.at).order_by(col(DisclosureRow.position).desc()).limit(1)


def find_clock_fault(session: Session, *, at: dt.datetime) -> str | None:
    """Return how the clock disagrees with the time that was last known, or None if they agree.

    Where nothing is known yet, the last act on the record counts.
    """
    known = session.get(KnownTimeRow, NotedTime.CLOCK.value)
    known_at = known.at if known is not None else session.exec(_NEWEST_ACT).first()
    if known_at is None or abs(at - known_at) <= MOST_APART:
        return None
    side = "ahead of" if at > known_at else "behind"
    days = abs(at - known_at) / dt.timedelta(days=1)
    return f"the clock is {days:.1f} days {side} the time that was last known, {known_at:%Y-%m-%d %H:%M} UTC"


def find_known_time_fault(session: Session) -> str | None:
    """Return how the time that was last known disagrees with the record, or None. What is behind erases nothing."""
    known, newest = session.get(KnownTimeRow, NotedTime.CLOCK.value), session.exec(_NEWEST_ACT).first()
    if known is None:
        has_run = session.exec(select(CheckpointRow.number).limit(1)).first() is not None
        return f"it is gone. {NOTE_THE_TIME}" if has_run else None
    if newest is None or known.at - newest <= MOST_AHEAD:
        return None
    return (
        f"it is {known.at:%Y-%m-%d %H:%M} UTC, and the newest act {newest:%Y-%m-%d %H:%M} UTC. A service that runs "
        f"signs a checkpoint each day, and at its start. {NOTE_THE_TIME}"
    )


def require_clock(session: Session, *, at: dt.datetime) -> None:
    """Raise `ClockInDoubt` if the clock disagrees with the time that was last known."""
    fault = find_clock_fault(session, at=at)
    if fault is not None:
        raise ClockInDoubt(f"{fault}. {CHECK_THE_CLOCK}")


def note_time(session: Session, at: dt.datetime, *, is_checked: bool = False) -> None:
    """Note that it is that time. Raises `ClockInDoubt` if the clock disagrees, unless a person has checked it."""
    if not is_checked:
        require_clock(session, at=at)
    session.merge(KnownTimeRow(id=NotedTime.CLOCK.value, at=at))


# Removing what is left of erased and resealed texts in the files of the database.


BRIEF_MILLISECONDS = 20  # writers wait while the log is emptied, so that waits for readers no longer than this

log = Log(__name__)


def purge_remnants(engine: Engine, *, is_sure: bool = True) -> Remnants:
    """Remove the remnants, as far as the database allows it at the moment, and return what is left.

    If the caller `is_sure` that there were some, or tries again, what is left is logged and marked.

    SQLite overwrites freed pages, and its log (WAL) is emptied, unless a reader holds it. A file beside the database
    says so to every process that serves it, also after a restart. PostgreSQL marks the space for reuse.
    """
    if engine.dialect.name != "sqlite":
        _vacuum(engine)
        return Remnants.LEFT_TO_POSTGRESQL
    marker = _marker(engine)
    if not _empty_log(engine):
        if is_sure and not marker.exists():
            log.warning("erased_text_remains_in_log")
            marker.touch(mode=0o600)
        return Remnants.PENDING
    if marker.exists():
        marker.unlink(missing_ok=True)
        log.info("erased_text_is_gone")
    return Remnants.NONE


def has_remnants(engine: Engine) -> bool:
    """Return whether a process could not remove everything that was erased. Only SQLite can say so."""
    return engine.dialect.name == "sqlite" and _marker(engine).exists()


def _marker(engine: Engine) -> Path:
    return Path(f"{engine.url.database}-remnants")


def _empty_log(engine: Engine) -> bool:
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout={BRIEF_MILLISECONDS}")
        try:
            for _ in range(2):  # most of the work, while others write: the second time what they wrote meanwhile
                driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:  # another process works on the log
            return False
        finally:
            driver.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    return not busy


def _vacuum(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM concerns, entries, drafts")
