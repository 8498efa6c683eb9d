"""The chains of disclosures: appending, reading and checking."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, literal, literal_column, or_, tuple_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.models.base import format_utc
from app.models.desk.disclosure_tables import ChainRow, DeskAct, DisclosureRow
from app.models.digest import canonical_json
from app.store.tables import table_of

FIRST_PREVIOUS_SHA256 = "0" * 64
TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S.%f"
_ALL_IN_ORDER = select_columns(
    *(literal_column("at") if column.name == "at" else column for column in table_of(DisclosureRow).c)
).order_by(col(DisclosureRow.chain), col(DisclosureRow.number))


@dataclass(frozen=True)
class Actor:
    """The client that acts, and its network address."""

    client: str
    address: str


def record_disclosure(
    session: Session, *, chain: str, act: DeskAct, actor: Actor, at: dt.datetime, detail: str = ""
) -> DisclosureRow:
    """Append the act to the chain, in the transaction of the act itself."""
    length, head = find_chain_end(session, chain)
    row = DisclosureRow(
        chain=chain,
        number=length + 1,
        at=at,
        client=actor.client,
        act=act,
        address=actor.address,
        detail=detail,
        previous_sha256=head,
        sha256="",
    )
    row.sha256 = hash_of(row)
    session.add(row)
    end = session.get(ChainRow, chain) or ChainRow(name=chain, length=0, head_sha256=FIRST_PREVIOUS_SHA256)
    end.length, end.head_sha256 = row.number, row.sha256
    session.add(end)
    session.flush()
    return row


def hash_of(row: DisclosureRow) -> str:
    """Return the SHA-256 of the canonical JSON (RFC 8785) of every other column of the row."""
    columns = row.model_dump(exclude={"sha256", "at"}) | {"at": format_utc(row.at)}
    return hashlib.sha256(canonical_json(columns)).hexdigest()


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
        bound = tuple_(*(literal(value, column.type) for value, column in zip(after, position, strict=True)))
        statement = statement.where(tuple_(*position) > bound)
    return list(session.exec(statement.order_by(*position).limit(limit)))


def find_chain_end(session: Session, name: str) -> tuple[int, str]:
    """Return how many rows the chain has, and the hash of the last."""
    end = session.get(ChainRow, name)
    return (end.length, end.head_sha256) if end is not None else (0, FIRST_PREVIOUS_SHA256)


def find_chain_faults(session: Session) -> Iterator[tuple[str, str]]:
    """Yield each chain that was tampered with: its name (a concern's reference, `inbox` or `audit`), and the fault."""
    with _as_stored(session.connection()) as connection:
        ends = {end.name: end for end in connection.execute(select_columns(table_of(ChainRow)))}
        checked: dict[str, DisclosureRow] = {}
        broken: set[str] = set()
        for stored in connection.execute(_ALL_IN_ORDER.execution_options(yield_per=1000)):
            row = DisclosureRow(**stored._mapping)
            if row.chain in broken:
                continue
            fault = _fault_in(row, checked.get(row.chain))
            checked[row.chain] = row
            if fault is not None:
                broken.add(row.chain)
                yield str(row.chain), fault
        for name in sorted((ends.keys() | checked.keys()) - broken, key=str):
            if name not in ends:
                yield str(name), "its end is missing"
            elif name not in checked or (checked[name].number, checked[name].sha256) != tuple(ends[name][1:]):
                yield str(name), f"it should end at row {ends[name].length}, and does not"


@contextmanager
def _as_stored(connection: Connection) -> Iterator[Connection]:
    """Read text columns even if tampering left bytes that are not text, so that the rest can still be checked."""
    if connection.dialect.name != "sqlite":  # PostgreSQL stores in a column only what its type allows
        yield connection
        return
    driver: Any = connection.connection.driver_connection
    before, driver.text_factory = driver.text_factory, lambda stored: stored.decode(errors="backslashreplace")
    try:
        yield connection
    finally:
        driver.text_factory = before


def _fault_in(row: DisclosureRow, before: DisclosureRow | None) -> str | None:
    expected = (before.number + 1, before.sha256) if before is not None else (1, FIRST_PREVIOUS_SHA256)
    if (row.number, row.previous_sha256) != expected:
        return f"row {row.number} does not follow the row before it"
    return None if _has_right_hash(row) else f"row {row.number} was altered"


def _has_right_hash(row: DisclosureRow) -> bool:
    """Return whether every column has exactly the format that this service writes, and the row's hash is right."""
    if isinstance(row.at, dt.datetime):  # PostgreSQL: the column types ensure the format
        return hash_of(row) == row.sha256
    stored = [getattr(row, column.name) for column in table_of(DisclosureRow).c if column.name != "number"]
    written = row.at
    if not all(isinstance(value, str) for value in stored):
        return False
    try:
        row.at = dt.datetime.strptime(str(written), TIMESTAMP_FORMAT).replace(tzinfo=dt.UTC)
    except ValueError:
        return False
    return row.at.strftime(TIMESTAMP_FORMAT) == written and hash_of(row) == row.sha256
