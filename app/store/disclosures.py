"""The chains of disclosures: appending to them and reading them."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session, select

from app.models.base import format_utc
from app.models.desk.disclosure_tables import ChainRow, DeskAct, DisclosureRow
from app.models.digest import canonical_json
from app.store.meanwhile import expect_seen
from app.store.tables import table_of

FIRST_PREVIOUS_SHA256 = "0" * 64
_ROWS = table_of(DisclosureRow)
# Executed with every concern: built once. Writers take turns, so the next position is nobody else's.
_NEXT_POSITION = select_columns(func.coalesce(func.max(_ROWS.c.position), 0) + 1).scalar_subquery()
_NEW_DISCLOSURE = insert(_ROWS).values(position=_NEXT_POSITION)
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


REPORTER = Actor("reporter", "not recorded")
"""No network address and no name of a reporter is stored."""


def record_disclosure(
    session: Session, *, chain: str, act: DeskAct, actor: Actor, at: dt.datetime, detail: str = ""
) -> DisclosureRow:
    """Append the act to the chain, in the transaction of the act itself.

    An act that changes a row is recorded first: the rules of the database let the row change only after it.
    Raises `ChangedMeanwhile` if the actor has not seen what the act rests on.
    """
    end = session.get(ChainRow, chain) or ChainRow(name=chain, length=0, head_sha256=FIRST_PREVIOUS_SHA256)
    if actor.seen is not None:
        expect_seen(session, chain, act, client=actor.client, seen=actor.seen)
    columns = _hashed(
        {
            "chain": chain,
            "number": end.length + 1,
            "at": at,
            "client": actor.client,
            "act": act.value,
            "address": actor.address,
            "detail": detail,
            "previous_sha256": end.head_sha256,
        }
    )
    session.connection().execute(_NEW_DISCLOSURE, columns)
    end.length, end.head_sha256 = columns["number"], columns["sha256"]
    session.add(end)
    session.flush()
    return DisclosureRow(**columns)


def first_disclosure(*, chain: str, act: DeskAct, actor: Actor, at: dt.datetime, detail: str) -> dict[str, Any]:
    """Return the columns of the first row of a new chain. They are complete before the transaction."""
    return _hashed(
        {
            "chain": chain,
            "number": 1,
            "at": at,
            "client": actor.client,
            "act": act.value,
            "address": actor.address,
            "detail": detail,
            "previous_sha256": FIRST_PREVIOUS_SHA256,
        }
    )


def insert_first_disclosure(session: Session, row: Mapping[str, Any]) -> None:
    """Begin a chain with that row."""
    connection = session.connection()
    connection.execute(_NEW_DISCLOSURE, dict(row))
    connection.execute(_NEW_CHAIN, {"name": row["chain"], "length": 1, "head_sha256": row["sha256"]})


def hash_of(row: DisclosureRow) -> str:
    """Return the SHA-256 of the canonical JSON (RFC 8785) of every other column of the row but its position."""
    return _sha256_of(row.model_dump(exclude={"sha256", "position"}))


def list_disclosures(
    session: Session, *, chain: str | None, client: str | None, after: int, limit: int
) -> list[DisclosureRow]:
    """Return the rows of one chain or of all, in the order of all acts, after that position.

    A client's rows are those of every person that acted through it.
    """
    statement = select(DisclosureRow).where(_ROWS.c.position > after)
    if chain is not None:
        statement = statement.where(DisclosureRow.chain == chain)
    if client is not None:
        person_of_client = func.substr(_ROWS.c.client, 1, len(client) + 1) == f"{client}/"
        statement = statement.where(or_(_ROWS.c.client == client, person_of_client))
    return list(session.exec(statement.order_by(_ROWS.c.position).limit(limit)))


def find_chain_end(session: Session, name: str) -> tuple[int, str]:
    """Return how many rows the chain has, and the hash of the last."""
    end = session.get(ChainRow, name)
    return (end.length, end.head_sha256) if end is not None else (0, FIRST_PREVIOUS_SHA256)


def _hashed(columns: dict[str, Any]) -> dict[str, Any]:
    return columns | {"sha256": _sha256_of(columns)}


def _sha256_of(columns: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json({**columns, "at": format_utc(columns["at"])})).hexdigest()
