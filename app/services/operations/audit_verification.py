"""Checks that the audit log is complete, in order, unaltered, and consistent with signed checkpoints.

Each check yields faults. A fault is a pair: the name of what is wrong, and a sentence.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, exists, func, literal_column, or_, tuple_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.db.tables import table_of
from app.models.audit.rows import OUTBOX, AuditEntryRow, ChainRow, CheckpointRow
from app.models.base import OnStep, counted, show_no_progress
from app.services.audit.chains import BEFORE_THE_FIRST, End, hash_of
from app.services.operations.checkpoints import Checkpoint, MerkleTree, checkpoint_leaves
from app.services.operations.concern_verification import UNREADABLE

STEP_ROWS = 100
TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S.%f"
NUMBERS = ("number", "position")
CHECKPOINTS = "checkpoints"
"""The name of the fault that no checkpoint can be compared."""
_TABLE = table_of(AuditEntryRow)
_CHAINS, _ROWS = table_of(ChainRow).c, _TABLE.c
_FIRST_IN_ORDER = select_columns(
    *(literal_column("at") if column.name == "at" else column for column in _ROWS)
).order_by(_ROWS.chain, _ROWS.number)
"""By chain and number. `at` is read as stored, unparsed."""
_BEFORE = _TABLE.alias("before").c
_NEXT_IN_ORDER = _FIRST_IN_ORDER.where(
    tuple_(_ROWS.chain, _ROWS.number)
    > tuple_(
        *(
            select_columns(column).where(_BEFORE.position == bindparam("position")).scalar_subquery()
            for column in (_BEFORE.chain, _BEFORE.number)
        )
    )
)
"""After the entry at `position`. The database compares as stored: reading continues right even after an alteration."""
_LAST = exists().where(_ROWS.chain == _CHAINS.name, _ROWS.number == _CHAINS.length, _ROWS.sha256 == _CHAINS.head_sha256)
_ONE_MORE = exists().where(_ROWS.chain == _CHAINS.name, _ROWS.number == _CHAINS.length + 1)
_WRONG_ENDS = select_columns(_CHAINS.name, _CHAINS.length).where(or_(~_LAST, _ONE_MORE), _CHAINS.name != OUTBOX)
"""Chains whose last row is not their stored end. Events are in another table."""
_WITHOUT_END = select_columns(_ROWS.chain).where(_ROWS.number == 1, ~exists().where(_CHAINS.name == _ROWS.chain))


def verify_audit_log(engine: Engine, on_step: OnStep = show_no_progress) -> Iterator[tuple[str, str]]:
    """Yield the first fault of each broken chain, and gaps in positions.

    It reads `STEP_ROWS` at a time, so that memory does not grow. `on_step` gets the rows so far, and 0 for the unknown
    number of all.
    """
    with engine.connect() as connection, _as_stored(connection):
        broken: set[str] = set()
        for about, fault in _faults_in_chains(connection, on_step):
            broken.add(about)
            yield f"audit log of {about}", fault
        ends = [
            *((name, "its end is missing") for (name,) in connection.execute(_WITHOUT_END)),
            *((name, f"it should end at row {end}, and does not") for name, end in connection.execute(_WRONG_ENDS)),
        ]
        for about, fault in sorted((str(name), fault) for name, fault in ends if name not in broken):
            yield f"audit log of {about}", fault
        count, last = connection.execute(select_columns(func.count(), func.max(_ROWS.position))).one()
        if count and count != last:
            yield "record", f"it has {counted(count, 'row')}, and the last has the position {last}"


def verify_checkpoints(engine: Engine, others: Sequence[tuple[str, Checkpoint]] = ()) -> Iterator[tuple[str, str]]:
    """Yield each checkpoint, stored or of `others`, that contradicts the log, and wrong stored subtrees.

    If a hash in the log cannot be read, it yields only that.
    """
    with Session(engine) as session:
        stored = session.exec(select(CheckpointRow).order_by(col(CheckpointRow.number))).all()
        expected = [(f"checkpoint {row.number}", row.size, row.root_sha256) for row in stored]
        expected += [(name, checkpoint.size, checkpoint.root.hex()) for name, checkpoint in others]
        try:
            trees, size = _trees_at(session, {each for _, each, _ in expected})
        except UNREADABLE:
            yield CHECKPOINTS, "they cannot be compared, since a hash of the record cannot be read"
            return
    for name, stated, root in expected:
        if stated > size:
            yield (
                name,
                f"it states {stated} audit log entries, and there are {size}: the database was rolled back, or cut",
            )
        elif trees[stated].root.hex() != root:
            yield name, f"the first {stated} audit log entries are not those that it states"
    for row in stored:
        if row.size in trees and row.frontier != [node.hex() for node in trees[row.size].frontier]:
            yield f"checkpoint {row.number}", "its subtrees, from which the next one continues, were altered"


def _trees_at(session: Session, sizes: set[int]) -> tuple[dict[int, MerkleTree], int]:
    """By size, 0 always, none larger than the log; and the number of all entries. Raise an error of `UNREADABLE`."""
    tree = MerkleTree()
    trees = {0: MerkleTree()}
    for leaf in checkpoint_leaves(session, after=0):
        tree.append(leaf)
        if tree.size in sizes:
            trees[tree.size] = MerkleTree(tree.size, [*tree.frontier])
    return trees, tree.size


def _faults_in_chains(connection: Connection, on_step: OnStep) -> Iterator[tuple[str, str]]:
    """The first of each: a row that was altered, or does not follow the one before."""
    name, end, is_broken = None, BEFORE_THE_FIRST, False
    for row in _in_order(connection, on_step):
        if row.chain != name:
            name, end, is_broken = row.chain, BEFORE_THE_FIRST, False
        fault = None if is_broken else _fault_in(row, end)
        if fault is not None:
            is_broken = True
            yield str(row.chain), fault
        end = End(row.number, row.sha256)


def _in_order(connection: Connection, on_step: OnStep) -> Iterator[AuditEntryRow]:
    """The transaction ends after each page, so that SQLite can empty its write-ahead log."""
    done, rows, is_last = 0, connection.execute(_FIRST_IN_ORDER.limit(STEP_ROWS)).all(), False
    while not is_last:
        connection.rollback()
        yield from (AuditEntryRow(**row._mapping) for row in rows)
        done, is_last = done + len(rows), len(rows) < STEP_ROWS
        on_step(done, 0)
        if not is_last:
            rows = connection.execute(_NEXT_IN_ORDER.limit(STEP_ROWS), {"position": rows[-1].position}).all()


def _fault_in(row: AuditEntryRow, end: End) -> str | None:
    """`end` is that of the chain before `row`."""
    if (row.number, row.previous_sha256) != (end.number + 1, end.sha256):
        return f"row {row.number} does not follow the row before it"
    return None if _has_right_hash(row) else f"row {row.number} was altered"


@contextmanager
def _as_stored(connection: Connection) -> Iterator[Connection]:
    """Read invalid bytes in SQLite's text as escapes: other rows can still be checked."""
    if connection.dialect.name != "sqlite":  # PostgreSQL stores only values of the column's type
        yield connection
        return
    driver: Any = connection.connection.driver_connection
    before, driver.text_factory = driver.text_factory, lambda stored: stored.decode(errors="backslashreplace")
    try:
        yield connection
    finally:
        driver.text_factory = before


def _has_right_hash(row: AuditEntryRow) -> bool:
    """And every column is in the format that this service writes. A time read as text is replaced by the parsed one."""
    if isinstance(row.at, dt.datetime):  # PostgreSQL: the column types ensure the format
        return hash_of(row) == row.sha256
    stored = [getattr(row, column.name) for column in table_of(AuditEntryRow).c if column.name not in NUMBERS]
    written = row.at
    if not all(isinstance(value, str) for value in stored):
        return False
    try:
        row.at = dt.datetime.strptime(str(written), TIMESTAMP_FORMAT).replace(tzinfo=dt.UTC)
    except ValueError:
        return False
    return row.at.strftime(TIMESTAMP_FORMAT) == written and hash_of(row) == row.sha256
