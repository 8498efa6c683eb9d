"""The audit log: entries in chains, each with the hash of the entry before it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import func, insert
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, or_, select

from app.db.tables import table_of
from app.db.writer import Writer
from app.models.audit.audit_log import AUDIT, AuditEntryRow, DeskAct
from app.models.audit.details import Details, LogDetails
from app.models.concerns.rows import ConcernRow
from app.services.audit.chains import End, begin_chains, find_end, write_end
from app.services.audit.meanwhile import expect_seen

_ROWS = table_of(AuditEntryRow)
# Executed with every concern: built once. Writers take turns, so no other writer takes the next position.
_NEXT_POSITION = select_columns(func.coalesce(func.max(_ROWS.c.position), 0) + 1).scalar_subquery()
_NEW_DISCLOSURE = insert(_ROWS).values(position=_NEXT_POSITION)
NO_DETAILS = "{}"
REPORTER = "reporter"
"""No network address and no name of a reporter is stored."""


@dataclass(frozen=True)
class Actor:
    """The actor of an audit log entry: the client, its network address and the time.

    `client` has the person after the first slash, if one is known.
    """

    client: str
    address: str
    at: dt.datetime
    seen: int | None = None
    """Number of the last entry in the chain that the person was shown, for actions that depend on it."""

    @property
    def person(self) -> str:
        """The name of the person, or of the client if the person is not known."""
        client, slash, person = self.client.partition("/")
        return person if slash else client


by_reporter = partial(Actor, REPORTER, "not recorded")

by_itself = partial(Actor, "service", "this machine")
"""The actor of what the service does without a request."""


def record_action(session: Session, chain: str, act: DeskAct, actor: Actor, details: Details | None = None) -> End:
    """Append an entry for the action to the chain, in the action's transaction. Return its number and hash.

    Record an action before it changes a row: the rules of the database allow the change only then. Raise
    `ChangedMeanwhile` if the actor has not seen a change that the action depends on.
    """
    session.flush()  # writes the changes of earlier actions first
    former = find_end(session, chain)
    if actor.seen is not None:
        expect_seen(session, chain, act, client=actor.client, seen=actor.seen)
    columns, end = next_row(chain, former, act, actor, details)
    session.connection().execute(_NEW_DISCLOSURE, columns)
    write_end(session, chain, end, former)
    return end


def record_reading(session: Session, chain: str, act: DeskAct, actor: Actor, details: Details | None = None) -> None:
    """Record that many rows were read, before they are returned. Reading them here would make all writers wait."""
    record_action(session, chain, act, actor, details)


def insert_first_entries(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Begin a chain with each of the rows."""
    session.connection().execute(_NEW_DISCLOSURE, [dict(row) for row in rows])
    begin_chains(session, [(row["chain"], End(row["number"], row["sha256"])) for row in rows])


@dataclass(frozen=True)
class RecordPage:
    """A request for audit log entries with positions above `after`. None for `chain` or `client` means all."""

    chain: str | None
    client: str | None
    after: int
    limit: int


def read_audit_log(writer: Writer, page: RecordPage, *, actor: Actor) -> list[AuditEntryRow]:
    """Return the rows of the page, and one more if there is a next page. Record the reading.

    The rows of a client include those of every person who used it.
    """
    statement = select(AuditEntryRow).where(_ROWS.c.position > page.after)
    if page.chain is not None:
        statement = statement.where(AuditEntryRow.chain == page.chain)
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
    record_action(session, AUDIT, DeskAct.STATEMENT_SIGNED, actor, LogDetails(chain=chain))
    return end


def list_last_acts(session: Session, chain: str, *, limit: int) -> list[AuditEntryRow]:
    """Return the last rows of the chain, most recent first."""
    rows = select(AuditEntryRow).where(AuditEntryRow.chain == chain)
    return list(session.exec(rows.order_by(col(AuditEntryRow.number).desc()).limit(limit)))


def next_row(
    chain: str, former: End, act: DeskAct, actor: Actor, details: Details | None
) -> tuple[dict[str, Any], End]:
    """Return the columns of the row that follows the end `former` of the chain, and the new end."""
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


def record_change(
    session: Session, concern: ConcernRow, act: DeskAct, actor: Actor, details: Details | None = None
) -> End:
    """Append an entry for an action that changes the concern, before the change, and set `changed_at`."""
    end = record_action(session, concern.reference, act, actor, details)
    concern.changed_at = actor.at
    return end
