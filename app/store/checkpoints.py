"""Checkpoints, and the leaves of the Merkle tree that they sign."""

import datetime as dt
from collections.abc import Iterator

from sqlmodel import Session, col, select

from app.models.desk.disclosure_tables import CheckpointRow, DisclosureRow, LogEntryRow
from app.models.desk.merkle import MerkleTree


def find_last_checkpoint(session: Session) -> CheckpointRow | None:
    """Return the newest checkpoint, or None."""
    return session.exec(select(CheckpointRow).order_by(col(CheckpointRow.number).desc()).limit(1)).first()


def find_first_disclosure_time(session: Session) -> dt.datetime | None:
    """Return the time of the earliest disclosure, or None if there is none."""
    return session.exec(select(DisclosureRow.at).order_by(col(DisclosureRow.at)).limit(1)).first()


def find_last_disclosure_time(session: Session) -> dt.datetime | None:
    """Return the time of the latest disclosure, or None if there is none."""
    return session.exec(select(DisclosureRow.at).order_by(col(DisclosureRow.at).desc()).limit(1)).first()


def list_checkpoints(session: Session) -> list[CheckpointRow]:
    """Return every checkpoint, the oldest first."""
    return list(session.exec(select(CheckpointRow).order_by(col(CheckpointRow.number))))


def tree_of(checkpoint: CheckpointRow | None) -> MerkleTree:
    """Return the tree at that checkpoint, or the empty tree."""
    if checkpoint is None:
        return MerkleTree()
    return MerkleTree(checkpoint.size, [bytes.fromhex(node) for node in checkpoint.frontier])


def iterate_leaves(session: Session, *, after: int) -> Iterator[bytes]:
    """Yield the hash of each disclosure after that many, in the order of all chains."""
    hashes = select(LogEntryRow.sha256).where(col(LogEntryRow.number) > after).order_by(col(LogEntryRow.number))
    for sha256 in session.exec(hashes.execution_options(yield_per=1000)):
        yield bytes.fromhex(sha256)
