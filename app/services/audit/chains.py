"""Hash chains, in which each row has the hash of the row before it: many in the audit log, one of events."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from app.db.statements import FixedStatement, fixed_insert
from app.db.tables import table_of
from app.errors import RowNotStored
from app.models.audit.rows import AuditEntryRow, ChainRow
from app.models.base import canonical_json, format_utc

FIRST_PREVIOUS_SHA256 = "0" * 64
_CHAINS = table_of(ChainRow)
_OF_CHAIN = _CHAINS.c.name == bindparam("chain")
_END = FixedStatement(select(_CHAINS.c.length, _CHAINS.c.head_sha256).where(_OF_CHAIN))
_NEW_CHAIN = fixed_insert(_CHAINS)
_NEW_END = FixedStatement(update(_CHAINS).where(_OF_CHAIN), ["length", "head_sha256"])


class End(NamedTuple):
    """The number of the last row, which is the length of the chain, and that row's hash."""

    number: int
    sha256: str

    def after(self, columns: Mapping[str, Any]) -> "End":
        return End(self.number + 1, sha256_of(columns, previous=self.sha256))


BEFORE_THE_FIRST = End(0, FIRST_PREVIOUS_SHA256)


def sha256_of(columns: Mapping[str, Any], *, previous: str) -> str:
    whole = {**columns, "at": format_utc(columns["at"]), "previous_sha256": previous}
    return hashlib.sha256(canonical_json(whole)).hexdigest()


def hash_of(row: AuditEntryRow) -> str:
    """Return the hash of every column except hash and position."""
    return sha256_of(row.model_dump(exclude={"sha256", "position"}), previous=row.previous_sha256)


def find_end(connection: Connection, chain: str) -> End:
    """Return the end of a chain, or `BEFORE_THE_FIRST` if it has no rows."""
    found = _END.run(connection, {"chain": chain}).one_or_none()
    return BEFORE_THE_FIRST if found is None else End(found.length, found.head_sha256)


def write_end(connection: Connection, chain: str, end: End, former: End) -> None:
    if former == BEFORE_THE_FIRST:
        begin_chains(connection, [(chain, end)])
        return
    columns = {"chain": chain, "length": end.number, "head_sha256": end.sha256}
    if _NEW_END.run(connection, columns).rowcount != 1:
        raise RowNotStored


def begin_chains(connection: Connection, ends: Sequence[tuple[str, End]]) -> None:
    rows = [{"name": name, "length": end.number, "head_sha256": end.sha256} for name, end in ends]
    _NEW_CHAIN.run(connection, *rows)
