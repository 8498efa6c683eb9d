"""The chains of disclosures: adding to one, reading it, and checking it."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, literal, literal_column, tuple_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.models.base import format_utc
from app.models.desk.disclosure_tables import ChainRow, DeskAct, DisclosureRow
from app.models.digest import canonical_json
from app.store.tables import table_of

BEGINNING = "0" * 64
MOMENT = "%Y-%m-%d %H:%M:%S.%f"
STORED = select_columns(
    *(literal_column("at") if column.name == "at" else column for column in table_of(DisclosureRow).c)
).order_by(col(DisclosureRow.chain), col(DisclosureRow.number))


@dataclass(frozen=True)
class Actor:
    """Who acts, and from which network address."""

    client: str
    address: str


def record_disclosure(
    session: Session, *, chain: str, act: DeskAct, actor: Actor, at: dt.datetime, detail: str = ""
) -> DisclosureRow:
    """Add the act to the chain, in the transaction of the act itself."""
    length, head = end_of_chain(session, chain)
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
    end = session.get(ChainRow, chain) or ChainRow(name=chain, length=0, head_sha256=BEGINNING)
    end.length, end.head_sha256 = row.number, row.sha256
    session.add(end)
    session.flush()
    return row


def hash_of(row: DisclosureRow) -> str:
    """SHA-256 over the canonical JSON (RFC 8785) of every other column of the row."""
    told = row.model_dump(exclude={"sha256", "at"}) | {"at": format_utc(row.at)}
    return hashlib.sha256(canonical_json(told)).hexdigest()


DisclosurePosition = tuple[dt.datetime, str, int]


def list_disclosures(
    session: Session, *, chain: str | None, client: str | None, after: DisclosurePosition | None, limit: int
) -> list[DisclosureRow]:
    """Return the rows of one chain or of all, by time, after the place of the last row of the page before."""
    table = table_of(DisclosureRow)
    place = (table.c.at, table.c.chain, table.c.number)
    found = select(DisclosureRow)
    if chain is not None:
        found = found.where(DisclosureRow.chain == chain)
    if client is not None:
        found = found.where(DisclosureRow.client == client)
    if after is not None:
        bound = tuple_(*(literal(value, column.type) for value, column in zip(after, place, strict=True)))
        found = found.where(tuple_(*place) > bound)
    return list(session.exec(found.order_by(*place).limit(limit)))


def end_of_chain(session: Session, name: str) -> tuple[int, str]:
    """Return how many rows the chain has, and the hash of the last."""
    end = session.get(ChainRow, name)
    return (end.length, end.head_sha256) if end is not None else (0, BEGINNING)


def faults_in_chains(session: Session) -> Iterator[tuple[str, str]]:
    """Each chain that was tampered with, by its name (a concern's is its reference), and what is wrong with it."""
    with _as_stored(session.connection()) as connection:
        ends = {end.name: end for end in connection.execute(select_columns(table_of(ChainRow)))}
        walked: dict[str, DisclosureRow] = {}
        broken: set[str] = set()
        for stored in connection.execute(STORED.execution_options(yield_per=1000)):
            row = DisclosureRow(**stored._mapping)
            if row.chain in broken:
                continue
            fault = _fault_in(row, walked.get(row.chain))
            walked[row.chain] = row
            if fault is not None:
                broken.add(row.chain)
                yield str(row.chain), fault
        for name in sorted((ends.keys() | walked.keys()) - broken, key=str):
            if name not in ends:
                yield str(name), "its end is missing"
            elif name not in walked or (walked[name].number, walked[name].sha256) != tuple(ends[name][1:]):
                yield str(name), f"it should end at row {ends[name].length}, and does not"


@contextmanager
def _as_stored(connection: Connection) -> Iterator[Connection]:
    """Read texts even where tampering has left bytes that are no text, so that the rest can still be checked."""
    if connection.dialect.name != "sqlite":  # PostgreSQL keeps nothing in a column but what its type allows
        yield connection
        return
    driver: Any = connection.connection.driver_connection
    before, driver.text_factory = driver.text_factory, lambda stored: stored.decode(errors="backslashreplace")
    try:
        yield connection
    finally:
        driver.text_factory = before


def _fault_in(row: DisclosureRow, before: DisclosureRow | None) -> str | None:
    expected = (before.number + 1, before.sha256) if before is not None else (1, BEGINNING)
    if (row.number, row.previous_sha256) != expected:
        return f"row {row.number} does not follow the row before it"
    return None if _hashes_to_its_own(row) else f"row {row.number} was altered"


def _hashes_to_its_own(row: DisclosureRow) -> bool:
    """Whether every column holds what this service writes there, to the letter, and the row's hash is right."""
    if isinstance(row.at, dt.datetime):  # PostgreSQL: the columns' types see to it
        return hash_of(row) == row.sha256
    stored = [getattr(row, column.name) for column in table_of(DisclosureRow).c if column.name != "number"]
    written = row.at
    if not all(isinstance(value, str) for value in stored):
        return False
    try:
        row.at = dt.datetime.strptime(str(written), MOMENT).replace(tzinfo=dt.UTC)
    except ValueError:
        return False
    return row.at.strftime(MOMENT) == written and hash_of(row) == row.sha256
