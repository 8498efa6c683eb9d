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
from app.models.audit.audit_log import AUDIT, AuditEntryRow, DeskAct
from app.models.audit.details import Details, LogDetails
from app.models.concerns.rows import ConcernRow
from app.services.audit.chains import End, begin_chains, find_end, write_end
from app.services.audit.meanwhile import expect_seen

_ROWS = table_of(AuditEntryRow)
# Only one writer writes at a time, so no other writer can take the position.
_NEXT_POSITION: ColumnElement[int] = literal_column("(SELECT coalesce(max(position), 0) + 1 FROM audit_entries)")
_NEW_ENTRY = fixed_insert(_ROWS, position=_NEXT_POSITION)
NO_DETAILS = "{}"
REPORTER = "reporter"
"""The actor's name in entries for reporters. The audit log stores no reporter's name or network address."""
KEY_HOLDER = "key-holder"
"""The actor's name in entries of commands that read concerns with an identity."""


@dataclass(frozen=True)
class Actor:
    """The client or person that performs the action of an audit log entry, with the network address and the time.

    `client` is the name of the client or, if the person is known, 'client/person'.
    """

    client: str
    address: str
    at: dt.datetime
    seen: int | None = None
    """The number of the last entry of the concern's chain that was on the page from which the person acts, or None.

    If a number is given, `record_action` refuses an action that depends on something that others did after that entry.
    """
    is_lead: bool = False
    """True if the actor may open the concerns that are restricted to leads."""

    @property
    def person(self) -> str:
        """The name of the person, or of the client if the person is not known."""
        return person_of(self.client)


def person_of(client: str) -> str:
    """Return the person in the recorded name `client`, or `client` unchanged if it names no person."""
    return client.partition("/")[2] or client


def is_same_hand(one: str, other: str) -> bool:
    """Return True if the recorded names `one` and `other` count as the same person.

    A recorded name is `client` or `client/person`. If both names have a person, compare the persons. Otherwise compare
    the clients. A person has the same name whichever client they use, so two people who share a name count as one.
    """
    client, _, person = one.partition("/")
    other_client, _, other_person = other.partition("/")
    return person == other_person if person and other_person else client == other_client


def names_a_person(name: str) -> bool:
    """Return True if the recorded name is `client/person`, and False if it is only `client`."""
    return "/" in name


by_reporter = partial(Actor, REPORTER, "not recorded")
"""The actor of a reporter's action. Call this with the time of the action."""

by_itself = partial(Actor, "service", "this machine")
"""The actor of an action that the service performs without a request. Call this with the time of the action."""

by_key_holder = partial(Actor, KEY_HOLDER, "command line")
"""The actor of commands that read concerns with an identity on this computer. Call this with the time of the action."""


def record_action(session: Session, chain: str, act: DeskAct, actor: Actor, details: Details | None = None) -> End:
    """Append an entry for `act` by `actor` to the chain named `chain`. Return the entry's number and hash.

    The caller must call this in the transaction of the action, and before it changes a row. Only then do the database's
    triggers allow the change. Store `details` with the entry; None means no details.

    If `actor.seen` is given, raise `ChangedMeanwhile` if somebody else added a later entry on which `act` depends. For
    a note, a message or a hand-over, raise it also if the same client did the same later. The form may then have been
    sent twice.
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


def record_reading(session: Session, chain: str, act: DeskAct, actor: Actor, details: Details | None = None) -> None:
    """Append an entry to the chain named `chain` for the reading of many rows.

    The caller must call this before it returns the rows, and must read the rows outside this write transaction. Reading
    them inside would make all writers wait.
    """
    record_action(session, chain, act, actor, details)


def insert_first_entries(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert `rows`, each as the first entry of a new chain, and store the end of each chain.

    Each row is a mapping of the columns that `next_row` returns.
    """
    _NEW_ENTRY.run(connection, *rows)
    begin_chains(connection, [(row["chain"], End(row["number"], row["sha256"])) for row in rows])


def read_end_of_chain(session: Session, chain: str, *, actor: Actor) -> End:
    """Return the end of the chain named `chain`: its length and last hash. The caller signs this end as a statement.

    Record in the chain `audit` that `actor` had a statement signed. If `chain` is `audit`, the end does not include
    that entry.
    """
    end = find_end(session.connection(), chain)
    record_action(session, AUDIT, DeskAct.STATEMENT_SIGNED, actor, LogDetails(chain=chain))
    return end


def list_last_entries(session: Session, chain: str, *, limit: int) -> list[AuditEntryRow]:
    """Return the last `limit` entries of the chain named `chain`, most recent first."""
    rows = select(AuditEntryRow).where(AuditEntryRow.chain == chain)
    return list(session.exec(rows.order_by(col(AuditEntryRow.number).desc()).limit(limit)))


def next_row(
    chain: str, former: End, act: DeskAct, actor: Actor, details: Details | None
) -> tuple[dict[str, Any], End]:
    """Return the columns of the next entry of the chain named `chain`, and the chain's new end. Store nothing.

    `former` is the end of the chain before that entry.
    """
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
    """Append an entry for an action that changes `concern`, and set its `changed_at`. Return the new end of the chain.

    The caller must call this before it makes the change. The parameters and the errors are those of `record_action`.
    """
    end = record_action(session, concern.reference, act, actor, details)
    concern.changed_at = actor.at
    return end
