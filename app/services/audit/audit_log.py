"""The audit log: appending of entries to chains, in which each entry has the hash of the entry before it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, literal_column
from sqlmodel import Session, col, select

from app.db.statements import fixed_insert
from app.db.tables import table_of
from app.models.audit.details import Details, LogDetails
from app.models.audit.rows import AUDIT, AuditEntryRow, DeskAct
from app.models.concerns.rows import ConcernRow
from app.services.audit.chains import End, begin_chains, find_end, write_end
from app.services.audit.meanwhile import expect_seen

_ROWS = table_of(AuditEntryRow)
# Only one writer writes at a time, so no other writer can take the position.
_NEXT_POSITION: ColumnElement[int] = literal_column("(SELECT coalesce(max(position), 0) + 1 FROM audit_entries)")
_NEW_ENTRY = fixed_insert(_ROWS, position=_NEXT_POSITION)
NO_DETAILS = "{}"
REPORTER = "reporter"
"""The log stores no reporter's name or address."""
KEY_HOLDER = "key-holder"


@dataclass(frozen=True)
class Actor:
    """The client that acts, from where and when. `client` is 'client/person' if the person is known."""

    client: str
    address: str
    at: dt.datetime
    seen: int | None = None
    """The last entry of the concern's chain on the page: `record_action` refuses what depends on later ones."""
    is_lead: bool = False

    @property
    def person(self) -> str:
        return person_of(self.client)


def person_of(client: str) -> str:
    """Return the person's name, or `client` itself if it names no person."""
    return client.partition("/")[2] or client


def is_same_hand(one: str, other: str) -> bool:
    """Compare the persons if both are known, otherwise the clients. Two people who share a name count as one."""
    client, _, person = one.partition("/")
    other_client, _, other_person = other.partition("/")
    return person == other_person if person and other_person else client == other_client


def names_a_person(name: str) -> bool:
    return "/" in name


by_reporter = partial(Actor, REPORTER, "not recorded")

by_itself = partial(Actor, "service", "this machine")
"""Actor for what the service does without a request."""

by_key_holder = partial(Actor, KEY_HOLDER, "command line")


def record_action(session: Session, chain: str, act: DeskAct, actor: Actor, details: Details | None = None) -> End:
    """Append an entry, in the transaction of the action and before it changes a row: only then do triggers allow it.

    Record a reading before returning the rows, and read them outside the transaction: all writers would wait. Raise
    `ChangedMeanwhile` if somebody added an entry after `actor.seen` on which `act` depends (see `expect_seen`).
    """
    session.flush()  # writes the changes of earlier actions first
    connection = session.connection()
    former = find_end(connection, chain)
    if actor.seen is not None:
        expect_seen(session, chain, act, client=actor.client, seen=actor.seen)
    columns, end = next_row(chain, former, act, actor, details)
    _NEW_ENTRY.run(connection, columns)
    write_end(connection, chain, end, former)
    return end


def insert_first_entries(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows that `next_row` returns. Each begins a chain."""
    _NEW_ENTRY.run(connection, *rows)
    begin_chains(connection, [(row["chain"], End(row["number"], row["sha256"])) for row in rows])


def read_end_of_chain(session: Session, chain: str, *, actor: Actor) -> End:
    """Record a signed statement in `audit`. If `chain` is `audit`, its end is the one before that entry."""
    end = find_end(session.connection(), chain)
    record_action(session, AUDIT, DeskAct.STATEMENT_SIGNED, actor, LogDetails(chain=chain))
    return end


def list_last_entries(session: Session, chain: str, *, limit: int) -> list[AuditEntryRow]:
    rows = select(AuditEntryRow).where(AuditEntryRow.chain == chain)
    return list(session.exec(rows.order_by(col(AuditEntryRow.number).desc()).limit(limit)))


def next_row(
    chain: str, former: End, act: DeskAct, actor: Actor, details: Details | None
) -> tuple[dict[str, Any], End]:
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
    """Record a change of `concern` before it is made, and set `changed_at`. Otherwise it is as `record_action`."""
    end = record_action(session, concern.reference, act, actor, details)
    concern.changed_at = actor.at
    return end
