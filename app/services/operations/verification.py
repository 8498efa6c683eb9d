"""Verifying the database: its pages and rules; digests and hashes, computed again; rows, compared with disclosures."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, exists, func, literal_column, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.models.desk.disclosure_tables import ChainRow, CheckpointRow, DisclosureRow
from app.models.digest import digest_of
from app.models.progress import OnStep, show_no_progress, steps_of_part
from app.services.desk.checkpoints import Checkpoint, MerkleTree, iterate_leaves
from app.services.operations.concern_verification import count_concerns, verify_concerns
from app.store.backup import find_file_faults
from app.store.disclosures import FIRST_PREVIOUS_SHA256, hash_of
from app.store.editions import EditionKey, RenditionKey, every_publication, read_content, read_rendition
from app.store.schema import find_schema_faults
from app.store.tables import table_of

STEP_ROWS = 1000
TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S.%f"
NUMBERS = ("number", "position")
_ALL_IN_ORDER = select_columns(
    *(literal_column("at") if column.name == "at" else column for column in table_of(DisclosureRow).c)
).order_by(col(DisclosureRow.chain), col(DisclosureRow.number))
"""Every disclosure, the rows of a chain one after the other, with its time as it is stored."""
_CHAINS, _ROWS = table_of(ChainRow).c, table_of(DisclosureRow).c
_LAST = exists().where(_ROWS.chain == _CHAINS.name, _ROWS.number == _CHAINS.length, _ROWS.sha256 == _CHAINS.head_sha256)
_ONE_MORE = exists().where(_ROWS.chain == _CHAINS.name, _ROWS.number == _CHAINS.length + 1)
_WRONG_ENDS = select_columns(_CHAINS.name, _CHAINS.length).where(or_(~_LAST, _ONE_MORE))
"""The chains whose last row is not the one that their end names."""
_WITHOUT_END = select_columns(_ROWS.chain).where(_ROWS.number == 1, ~exists().where(_CHAINS.name == _ROWS.chain))


def verify_database(engine: Engine) -> Iterator[str]:
    """Yield each fault of the embedded database's pages, else each table, index or rule that is not as declared.

    PostgreSQL verifies pages itself (data checksums). Raises `SchemaBehind` and `SchemaUnknown`.
    """
    if engine.dialect.name == "sqlite":
        faults = find_file_faults(Path(engine.url.database or ""))
        yield from faults
        if faults:  # the rest cannot be read for certain
            return
    with engine.connect() as connection:
        yield from find_schema_faults(connection)


def verify_editions(engine: Engine) -> Iterator[tuple[str, str | None]]:
    """Verify each edition and each rendition of each guide: yield what names it, and its fault, or None."""
    with Session(engine) as session:
        for key, digest in every_publication(session):
            named = f"edition {key.number}" if isinstance(key, EditionKey) else f"rendition {key.language} {key.number}"
            yield f"{key.guide}, {named}", _find_fault(session, key, digest)


def find_faults(
    engine: Engine, checkpoints: Sequence[tuple[str, Checkpoint]] = (), on_step: OnStep = show_no_progress
) -> Iterator[tuple[str, str]]:
    """Yield every fault of the record and of the concerns: what it is about, and the fault.

    `checkpoints` are those that somebody else has stored, each with a name to show.
    """
    with Session(engine) as session:
        rows = session.exec(select(func.count()).select_from(DisclosureRow)).one()
        concerns = count_concerns(session)
    part = partial(steps_of_part, on_step, total=rows + concerns)
    for about, fault in verify_record(engine, part(after=0)):
        yield about, fault
    for reference, fault in verify_concerns(engine, part(after=rows)):
        yield f"concern {reference}", fault
    yield from verify_checkpoints(engine, checkpoints)


def verify_record(engine: Engine, on_step: OnStep = show_no_progress) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the chains of disclosures and with the order of all of them: what it is, and the fault.

    The rows come in the order of their chains, so that one row at a time is enough, however many there are. A step is
    a row.
    """
    with Session(engine) as session, _as_stored(session.connection()) as connection:
        broken: set[str] = set()
        for chain, fault in _faults_in_chains(connection, on_step):
            broken.add(chain)
            yield f"disclosures of {chain}", fault
        ends = [
            *((name, "its end is missing") for (name,) in connection.execute(_WITHOUT_END)),
            *((name, f"it should end at row {end}, and does not") for name, end in connection.execute(_WRONG_ENDS)),
        ]
        for chain, fault in sorted((str(name), fault) for name, fault in ends if name not in broken):
            yield f"disclosures of {chain}", fault
        count, last = connection.execute(select_columns(func.count(), func.max(_ROWS.position))).one()
        if count and count != last:
            yield "record", f"it has {count} rows, and the last has the position {last}"


def verify_checkpoints(engine: Engine, others: Sequence[tuple[str, Checkpoint]] = ()) -> Iterator[tuple[str, str]]:
    """Yield each checkpoint that the record does not agree with, and how. Each of `others` has a name to show."""
    with Session(engine) as session:
        stored = session.exec(select(CheckpointRow).order_by(col(CheckpointRow.number)))
        expected = [(f"checkpoint {row.number}", row.size, row.root_sha256) for row in stored]
        expected += [(name, checkpoint.size, checkpoint.root.hex()) for name, checkpoint in others]
        roots, size = _roots_at(session, {each for _, each, _ in expected})
    for name, stated, root in expected:
        if stated > size:
            yield name, f"it states {stated} disclosures, and there are {size}: the database was rolled back, or cut"
        elif roots[stated] != root:
            yield name, f"the first {stated} disclosures are not those that it states"


def _roots_at(session: Session, sizes: set[int]) -> tuple[dict[int, str], int]:
    """Return the root of the tree at each of those sizes, as far as the record goes, and its size."""
    tree = MerkleTree()
    roots = {0: tree.root.hex()}
    for leaf in iterate_leaves(session, after=0):
        tree.append(leaf)
        if tree.size in sizes:
            roots[tree.size] = tree.root.hex()
    return roots, tree.size


def _faults_in_chains(connection: Connection, on_step: OnStep) -> Iterator[tuple[str, str]]:
    """Yield the first fault of each chain whose rows do not follow one another, or were altered."""
    chain, number, sha256, is_broken = None, 0, FIRST_PREVIOUS_SHA256, False
    rows = connection.execute(_ALL_IN_ORDER.execution_options(yield_per=STEP_ROWS))
    for done, stored in enumerate(rows):
        if done % STEP_ROWS == 0:
            on_step(done, 0)
        row = DisclosureRow(**stored._mapping)
        if row.chain != chain:
            chain, number, sha256, is_broken = row.chain, 0, FIRST_PREVIOUS_SHA256, False
        fault = None
        if (row.number, row.previous_sha256) != (number + 1, sha256):
            fault = f"row {row.number} does not follow the row before it"
        elif not _has_right_hash(row):
            fault = f"row {row.number} was altered"
        if fault is not None and not is_broken:
            is_broken = True
            yield str(row.chain), fault
        number, sha256 = row.number, row.sha256


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


def _has_right_hash(row: DisclosureRow) -> bool:
    """Return whether every column has exactly the format that this service writes, and the row's hash is right."""
    if isinstance(row.at, dt.datetime):  # PostgreSQL: the column types ensure the format
        return hash_of(row) == row.sha256
    stored = [getattr(row, column.name) for column in table_of(DisclosureRow).c if column.name not in NUMBERS]
    written = row.at
    if not all(isinstance(value, str) for value in stored):
        return False
    try:
        row.at = dt.datetime.strptime(str(written), TIMESTAMP_FORMAT).replace(tzinfo=dt.UTC)
    except ValueError:
        return False
    return row.at.strftime(TIMESTAMP_FORMAT) == written and hash_of(row) == row.sha256


def _find_fault(session: Session, key: EditionKey | RenditionKey, digest: str) -> str | None:
    try:
        content = read_content(session, key) if isinstance(key, EditionKey) else read_rendition(session, key)
    except ValidationError:
        return "its row is no longer a whole edition or rendition"
    found = digest_of(content)
    return None if found == digest else f"its row now gives {found}"
