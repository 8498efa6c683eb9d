"""The chains of disclosures: appending to them and reading them."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, or_
from sqlmodel import Session, select

from app.models.base import format_utc
from app.models.desk.disclosure_tables import ChainRow, DeskAct, DisclosureRow
from app.models.digest import canonical_json
from app.store.keyset import is_after
from app.store.log_entries import append_to_log, logs_at_once
from app.store.meanwhile import expect_seen
from app.store.tables import table_of

FIRST_PREVIOUS_SHA256 = "0" * 64
# Executed with every concern: built once.
_NEW_DISCLOSURE = insert(table_of(DisclosureRow))
_NEW_CHAIN = insert(table_of(ChainRow))


@dataclass(frozen=True)
class Actor:
    """The client that acts, with the person after the first slash if one is known, and its network address."""

    client: str
    address: str
    seen: int | None = None
    """The number of the last act in the chain that the person was shown, for acts that rest on it."""

    @property
    def person(self) -> str:
        """The name of the person that acts; without one, the name of the client."""
        client, slash, person = self.client.partition("/")
        return person if slash else client


def record_disclosure(
    session: Session, *, chain: str, act: DeskAct, actor: Actor, at: dt.datetime, detail: str = ""
) -> DisclosureRow:
    """Append the act to the chain, in the transaction of the act itself.

    An act that changes a row is recorded first: the rules of the database let the row change only after it.
    Raises `ChangedMeanwhile` if the actor has not seen what the act rests on.
    """
    end = session.get(ChainRow, chain) or ChainRow(name=chain, length=0, head_sha256=FIRST_PREVIOUS_SHA256, logged=0)
    if actor.seen is not None:
        expect_seen(session, chain, act, client=actor.client, seen=actor.seen)
    row = DisclosureRow(
        chain=chain,
        number=end.length + 1,
        at=at,
        client=actor.client,
        act=act,
        address=actor.address,
        detail=detail,
        previous_sha256=end.head_sha256,
        sha256="",
    )
    row.sha256 = hash_of(row)
    session.add(row)
    end.length, end.head_sha256 = row.number, row.sha256
    if logs_at_once(session.connection()):
        end.logged = row.number
    session.add(end)
    session.flush()
    append_to_log(session.connection(), [row.model_dump()])
    return row


def first_disclosure(*, chain: str, act: DeskAct, actor: Actor, at: dt.datetime, detail: str) -> dict[str, Any]:
    """Return the columns of the first row of a new chain. They are complete before the transaction."""
    columns = {
        "chain": chain,
        "number": 1,
        "at": at,
        "client": actor.client,
        "act": act.value,
        "address": actor.address,
        "detail": detail,
        "previous_sha256": FIRST_PREVIOUS_SHA256,
    }
    return columns | {"sha256": _hash_columns(columns)}


def insert_first_disclosure(session: Session, row: Mapping[str, Any]) -> None:
    """Begin a chain with that row."""
    connection = session.connection()
    connection.execute(_NEW_DISCLOSURE, dict(row))
    end = {"name": row["chain"], "length": 1, "head_sha256": row["sha256"], "logged": int(logs_at_once(connection))}
    connection.execute(_NEW_CHAIN, end)
    append_to_log(connection, [row])


def hash_of(row: DisclosureRow) -> str:
    """Return the SHA-256 of the canonical JSON (RFC 8785) of every other column of the row."""
    return _hash_columns(row.model_dump(exclude={"sha256"}))


DisclosurePosition = tuple[dt.datetime, str, int]


def list_disclosures(
    session: Session, *, chain: str | None, client: str | None, after: DisclosurePosition | None, limit: int
) -> list[DisclosureRow]:
    """Return the rows of one chain or of all, by time, after the position of the last row of the page before.

    A client's rows are those of every person that acted through it.
    """
    table = table_of(DisclosureRow)
    position = (table.c.at, table.c.chain, table.c.number)
    statement = select(DisclosureRow)
    if chain is not None:
        statement = statement.where(DisclosureRow.chain == chain)
    if client is not None:
        person_of_client = func.substr(table.c.client, 1, len(client) + 1) == f"{client}/"
        statement = statement.where(or_(table.c.client == client, person_of_client))
    if after is not None:
        statement = statement.where(is_after(position, after))
    return list(session.exec(statement.order_by(*position).limit(limit)))


def find_chain_end(session: Session, name: str) -> tuple[int, str]:
    """Return how many rows the chain has, and the hash of the last."""
    end = session.get(ChainRow, name)
    return (end.length, end.head_sha256) if end is not None else (0, FIRST_PREVIOUS_SHA256)


def _hash_columns(columns: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json({**columns, "at": format_utc(columns["at"])})).hexdigest()
