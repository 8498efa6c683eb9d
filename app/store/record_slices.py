"""A check of the record of disclosures in slices: each is short, and all of them together read the whole record.

While it goes on, others write. So each slice compares what it reads of the chains with their ends in one transaction.
The order of all chains is compared afterwards: a row counts where the log had it when its group of slices began.
"""

import secrets
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel, Field
from sqlalchemy import Connection
from sqlalchemy import select as select_columns
from sqlmodel import Session

from app.models.desk.disclosure_tables import ChainRow, DisclosureRow, LogEntryRow
from app.store.disclosures import FIRST_PREVIOUS_SHA256
from app.store.keyset import is_after
from app.store.log_entries import logs_at_once
from app.store.record_checks import ALL_IN_ORDER, as_stored, fault_in, row_fingerprint
from app.store.tables import table_of

SLICE_ROWS = 100
ENTRIES_OF_A_GROUP = 1000
PASS_KEY_BYTES = 32
MODULUS = 2**256
_CHAINS, _ROWS, _LOG = table_of(ChainRow).c, table_of(DisclosureRow).c, table_of(LogEntryRow).c
_ENDS = select_columns(_CHAINS.name, _CHAINS.length, _CHAINS.head_sha256, _CHAINS.logged)
_ENTRIES = select_columns(_LOG.number, _LOG.chain, _LOG.place, _LOG.sha256).order_by(_LOG.number)
_LAST_ENTRY = select_columns(_LOG.number, _LOG.sha256).order_by(_LOG.number.desc()).limit(1)


class Group(NamedTuple):
    """Slices of the chains, up to a row: they count the rows that the log had when it had so many entries."""

    chain: str
    number: int
    entries: int


class RecordPass(BaseModel):
    """How far a check of the whole record is. It may be stored between two slices, and go on in another process."""

    key: str = Field(default_factory=lambda: secrets.token_hex(PASS_KEY_BYTES))
    chain: str | None = None
    number: int = 0
    sha256: str = FIRST_PREVIOUS_SHA256
    is_broken: bool = False
    """Whether the chain in hand has a fault. The rest of it is not read for more."""
    has_read_chains: bool = False
    groups: list[Group] = Field(default_factory=list)
    entries: int | None = None
    """How many entries the log had when the group in hand began."""
    last_entry: str = ""
    """The hash of the last of them. In another database, such as an older one, it is another."""
    entries_read: int = 0
    difference: int = 0
    """The sum of the rows' fingerprints, without those of the entries: 0 at the end."""
    is_done: bool = False

    def count(self, chain: str, place: int, sha256: str, sign: int) -> None:
        """Add a row, or take an entry away."""
        fingerprint = row_fingerprint(chain, place, sha256, bytes.fromhex(self.key))
        self.difference = (self.difference + sign * fingerprint) % MODULUS

    def entries_at(self, chain: str, place: int) -> int:
        """Return how many entries the log had for the group that read this row."""
        found = bisect_left(self.groups, (chain, place), key=lambda group: group[:2])
        return self.groups[found].entries if found < len(self.groups) else self.entries or 0


def check_record_slice(session: Session, state: RecordPass) -> list[str]:
    """Check the next rows of the chains, and after the last of them the next entries of the log; return the faults."""
    with as_stored(session.connection()) as connection:
        check = _check_entries if state.has_read_chains else _check_rows
        return list(check(connection, state))


def is_of_this_record(session: Session, state: RecordPass) -> bool:
    """Return whether the log still has what it had when the group in hand began."""
    sha256 = select_columns(_LOG.sha256).where(_LOG.number == state.entries)
    return not state.entries or session.connection().execute(sha256).scalar_one_or_none() == state.last_entry


def _check_rows(connection: Connection, state: RecordPass) -> Iterator[str]:
    _begin_group(connection, state)
    statement = ALL_IN_ORDER.limit(SLICE_ROWS)
    if state.chain is not None:
        statement = statement.where(is_after((_ROWS.chain, _ROWS.number), (state.chain, state.number)))
    rows = [DisclosureRow(**stored._mapping) for stored in connection.execute(statement)]
    state.has_read_chains = len(rows) < SLICE_ROWS
    ends = _read_ends(connection, state.chain, last=None if state.has_read_chains else rows[-1].chain)
    logged_since = _logged_since(connection, state, rows)
    for row in rows:
        if row.chain != state.chain:
            yield from _faults_at_end(connection, state, ends)
            state.chain, state.number, state.sha256, state.is_broken = row.chain, 0, FIRST_PREVIOUS_SHA256, False
        yield from _faults_in(row, state)
        if not state.is_broken and _is_logged(row, ends) and (row.chain, row.number) not in logged_since:
            state.count(row.chain, row.number, row.sha256, 1)
    if state.has_read_chains:
        yield from _faults_at_end(connection, state, ends)
        state.chain = None
    for name in sorted(ends.keys() - {state.chain}):
        if ends[name].length:
            yield f"disclosures of {name}: it should end at row {ends[name].length}, and has none"


def _faults_in(row: DisclosureRow, state: RecordPass) -> Iterator[str]:
    """Yield what is wrong with the next row of a chain that is not broken yet, and go on to it."""
    fault = None if state.is_broken else fault_in(row, after=(state.number, state.sha256))
    state.number, state.sha256 = row.number, row.sha256
    if fault is not None:
        state.is_broken = True
        yield f"disclosures of {row.chain}: {fault}"


def _begin_group(connection: Connection, state: RecordPass) -> None:
    """Begin another group once the log has many entries more, so that a slice reads few of them."""
    last, sha256 = connection.execute(_LAST_ENTRY).one_or_none() or (0, "")
    if state.entries is not None:
        if last - state.entries <= ENTRIES_OF_A_GROUP or state.chain is None:
            return
        state.groups.append(Group(state.chain, state.number, state.entries))
    state.entries, state.last_entry = last, sha256


def _read_ends(connection: Connection, first: str | None, *, last: str | None) -> dict[str, Any]:
    """Return the ends of the chains from the one that a slice goes on with to the one that it breaks off in."""
    statement = _ENDS
    if first is not None:
        statement = statement.where(_CHAINS.name >= first)
    if last is not None:
        statement = statement.where(_CHAINS.name <= last)
    return {end.name: end for end in connection.execute(statement)}


def _logged_since(connection: Connection, state: RecordPass, rows: list[DisclosureRow]) -> set[tuple[str, int]]:
    """Return which of the rows came into the log after the group began."""
    if not rows:
        return set()
    statement = select_columns(_LOG.chain, _LOG.place).where(
        _LOG.number > state.entries, _LOG.chain >= rows[0].chain, _LOG.chain <= rows[-1].chain
    )
    return {(chain, place) for chain, place in connection.execute(statement)}


def _is_logged(row: DisclosureRow, ends: dict[str, Any]) -> bool:
    end = ends.get(row.chain)
    return end is None or row.number <= end.logged


def _faults_at_end(connection: Connection, state: RecordPass, ends: dict[str, Any]) -> Iterator[str]:
    """Yield how the chain in hand, of which no row follows, differs from its end; and forget the end."""
    if state.chain is None:
        return
    end = ends.pop(state.chain, None)
    if state.is_broken:
        return
    if end is None:
        yield f"disclosures of {state.chain}: its end is missing"
    elif (end.length, end.head_sha256) != (state.number, state.sha256):
        yield f"disclosures of {state.chain}: it should end at row {end.length}, and does not"
    elif logs_at_once(connection) and end.logged != end.length:
        yield f"record: it does not have as many rows of {state.chain} as the chain"


def _check_entries(connection: Connection, state: RecordPass) -> Iterator[str]:
    statement = _ENTRIES.where(_LOG.number <= state.entries).limit(SLICE_ROWS)
    if state.entries_read:
        statement = statement.where(_LOG.number > state.entries_read)
    entries = connection.execute(statement).all()
    for number, chain, place, sha256 in entries:
        if number != state.entries_read + 1:
            yield f"record: entry {number} does not follow the entry before it"
        state.entries_read = number
        if not (isinstance(chain, str) and isinstance(place, int)):
            yield f"record: entry {number} is not as it was written"
        elif number <= state.entries_at(chain, place):
            state.count(chain, place, sha256, -1)
    if len(entries) == SLICE_ROWS:
        return
    state.is_done = True
    if state.difference:
        yield "record: its rows are not those of the chains; guidance verify names them"
