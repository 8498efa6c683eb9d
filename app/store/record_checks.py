"""Checks of the record of disclosures: each chain by itself, and the order of all chains together."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Select, exists, func, literal_column, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col

from app.models.desk.disclosure_tables import ChainRow, DisclosureRow, LogEntryRow
from app.models.progress import OnStep, show_no_progress
from app.store.disclosures import FIRST_PREVIOUS_SHA256, hash_of
from app.store.log_entries import logs_at_once
from app.store.tables import table_of

TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S.%f"
ALL_IN_ORDER = select_columns(
    *(literal_column("at") if column.name == "at" else column for column in table_of(DisclosureRow).c)
).order_by(col(DisclosureRow.chain), col(DisclosureRow.number))
"""Every disclosure, the rows of a chain one after the other, with its time as it is stored."""
BEFORE_THE_FIRST = (0, FIRST_PREVIOUS_SHA256)
_CHAINS, _ROWS = table_of(ChainRow).c, table_of(DisclosureRow).c
_LAST = exists().where(_ROWS.chain == _CHAINS.name, _ROWS.number == _CHAINS.length, _ROWS.sha256 == _CHAINS.head_sha256)
_ONE_MORE = exists().where(_ROWS.chain == _CHAINS.name, _ROWS.number == _CHAINS.length + 1)
_WRONG_ENDS = select_columns(_CHAINS.name, _CHAINS.length).where(or_(~_LAST, _ONE_MORE))
"""The chains whose last row is not the one that their end names."""
_WITHOUT_END = select_columns(_ROWS.chain).where(_ROWS.number == 1, ~exists().where(_CHAINS.name == _ROWS.chain))
_LOG = table_of(LogEntryRow).c
_LOGGED = select_columns(_LOG.chain, _LOG.place, _LOG.sha256)
_DISCLOSED = (
    select_columns(_ROWS.chain, _ROWS.number, _ROWS.sha256)
    .outerjoin_from(table_of(DisclosureRow), table_of(ChainRow), _CHAINS.name == _ROWS.chain)
    .where(or_(_CHAINS.logged.is_(None), _ROWS.number <= _CHAINS.logged))  # the rest has no number in the log yet
)
_LATE = select_columns(_CHAINS.name).where(_CHAINS.logged != _CHAINS.length)


STEP_ROWS = 1000


def count_disclosures(session: Session) -> int:
    """Return how many disclosures there are."""
    return session.connection().execute(select_columns(func.count()).select_from(table_of(DisclosureRow))).scalar_one()


def find_chain_faults(session: Session, on_step: OnStep = show_no_progress) -> Iterator[tuple[str, str]]:
    """Yield each chain that was tampered with: its name (a concern's reference, `inbox` or `audit`), and the fault.

    The rows come in the order of their chains, so that one row at a time is enough, however many there are. A step is
    a row.
    """
    with as_stored(session.connection()) as connection:
        before: DisclosureRow | None = None
        broken: set[str] = set()
        rows = connection.execute(ALL_IN_ORDER.execution_options(yield_per=STEP_ROWS))
        for done, stored in enumerate(rows):
            if done % STEP_ROWS == 0:
                on_step(done, 0)
            row = DisclosureRow(**stored._mapping)
            if row.chain in broken:
                continue
            follows = before is not None and before.chain == row.chain
            fault = fault_in(row, after=(before.number, before.sha256) if before and follows else BEFORE_THE_FIRST)
            before = row
            if fault is not None:
                broken.add(row.chain)
                yield str(row.chain), fault
        ends = [
            *((name, "its end is missing") for (name,) in connection.execute(_WITHOUT_END)),
            *((name, f"it should end at row {end}, and does not") for name, end in connection.execute(_WRONG_ENDS)),
        ]
        yield from sorted((str(name), fault) for name, fault in ends if name not in broken)


def find_log_faults(session: Session, on_step: OnStep = show_no_progress) -> Iterator[str]:
    """Yield what is wrong with the order of all chains: a gap, or a row of a chain that it lacks, or the reverse.

    A step is an entry of the log.
    """
    with as_stored(session.connection()) as connection:
        count, last = connection.execute(select_columns(func.count(), func.max(_LOG.number))).one()
        if count and count != last:
            yield f"it has {count} entries, and the last is number {last}"
        if logs_at_once(connection):
            for (chain,) in connection.execute(_LATE):
                yield f"it does not have as many rows of {chain} as the chain"
        key = secrets.token_bytes(32)
        if _fingerprint(connection, _DISCLOSED, key) == _fingerprint(connection, _LOGGED, key, on_step):
            return
        for chain, place in _only_in(connection, _DISCLOSED, _LOGGED):
            yield f"it lacks row {place} of {chain}"
        for chain, place in _only_in(connection, _LOGGED, _DISCLOSED):
            yield f"it has another row {place} of {chain} than the chain"


def _fingerprint(
    connection: Connection, rows: Select[str, int, str], key: bytes, on_step: OnStep = show_no_progress
) -> int:
    """Return the same for the same rows in any order, one row at a time, however many there are.

    The key is random and new each time, so that nobody can prepare other rows with the same fingerprint.
    """
    total = 0
    found = connection.execute(rows.execution_options(yield_per=STEP_ROWS))
    for done, (chain, place, sha256) in enumerate(found):
        if done % STEP_ROWS == 0:
            on_step(done, 0)
        total += row_fingerprint(chain, place, sha256, key)
    return total


def row_fingerprint(chain: str, place: int, sha256: str, key: bytes) -> int:
    """Return a number for one row. The sums of two sets of rows are the same only where the sets are."""
    row = f"{chain}\0{place}\0{sha256}".encode(errors="backslashreplace")
    return int.from_bytes(hashlib.blake2b(row, key=key, digest_size=32).digest())


def _only_in(
    connection: Connection, those: Select[str, int, str], not_those: Select[str, int, str]
) -> Iterator[tuple[str, int]]:
    for chain, place, _ in connection.execute(those.except_(not_those)):
        yield str(chain), place


@contextmanager
def as_stored(connection: Connection) -> Iterator[Connection]:
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


def fault_in(row: DisclosureRow, *, after: tuple[int, str]) -> str | None:
    """Return what is wrong with the row, or None. `after` are the number and the hash of the row before it."""
    number, sha256 = after
    if (row.number, row.previous_sha256) != (number + 1, sha256):
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
