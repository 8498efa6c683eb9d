"""Checkpoints: signed statements of the end of the record, which a second party stores.

A checkpoint says how many disclosures there are, over all chains, and their Merkle root. A database that was rolled
back, or whose record was cut or rewritten, no longer agrees with one that somebody else has.
"""

import base64
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import TimestampUnavailable
from app.logs import Log
from app.models.desk.disclosure_tables import AUDIT, CheckpointRow, DeskAct
from app.models.desk.merkle import MerkleTree
from app.models.events.tables import EventKind
from app.services.desk.signed_notes import NoteSigner
from app.services.events.payloads import checkpoint_payload
from app.store.checkpoints import find_first_disclosure_time, find_last_checkpoint, iterate_leaves, tree_of
from app.store.disclosures import Actor, record_disclosure
from app.store.events import append_event
from app.store.log_entries import ALL_CHAINS, LOG_BATCH_SIZE, catch_up_log
from app.store.writer import Writer, write_operation

CHECKPOINT_INTERVAL = dt.timedelta(days=1)

Timestamper = Callable[[bytes], bytes]
"""Returns the reply of a time stamping authority (RFC 3161) about those bytes. Raises `TimestampUnavailable`."""

log = Log(__name__)


@dataclass(frozen=True)
class SignedCheckpoint:
    """A checkpoint that was signed now."""

    size: int
    root: bytes
    note: str


@dataclass(frozen=True)
class Checkpoints:
    """Signs checkpoints, once a day and on request."""

    engine: Engine
    writer: Writer
    signer: NoteSigner
    timestamper: Timestamper | None = None

    def sign(self, *, actor: Actor, at: dt.datetime) -> SignedCheckpoint:
        """Record that the actor requests a checkpoint, and return one of the record up to that."""
        _record_request(self.writer, actor=actor, at=at)
        tree = self._current_tree()
        return SignedCheckpoint(tree.size, tree.root, self.signer.sign(tree.size, tree.root))

    def make(self, *, at: dt.datetime) -> CheckpointRow:
        """Sign a checkpoint, store it, and send it to every receiver of `audit.checkpoint`."""
        return _store(self.writer, self._build(at))

    def make_if_due(self, *, at: dt.datetime) -> CheckpointRow | None:
        """Make a checkpoint if the last one, or the first disclosure, is a day old."""
        with Session(self.engine) as session:
            if not _is_due(session, at):
                return None
        return _store_if_due(self.writer, self._build(at), at=at)

    def _build(self, at: dt.datetime) -> CheckpointRow:
        tree = self._current_tree()
        note = self.signer.sign(tree.size, tree.root)
        return CheckpointRow(
            at=at,
            size=tree.size,
            root_sha256=tree.root.hex(),
            frontier=[node.hex() for node in tree.frontier],
            note=note,
            timestamp=self._timestamp(note),
        )

    def catch_up(self) -> int:
        """Write the log up to what is committed, where that is done afterwards. Return how many chains it took."""
        return _catch_up(self.writer)

    def _current_tree(self) -> MerkleTree:
        while self.catch_up() >= LOG_BATCH_SIZE:  # in pieces, while others write
            pass
        _catch_up_alone(self.writer)
        with Session(self.engine) as session:
            tree = tree_of(find_last_checkpoint(session))
            tree.extend(iterate_leaves(session, after=tree.size))
        return tree

    def _timestamp(self, note: str) -> str | None:
        """Return the reply of the authority, in base64. A checkpoint does not wait for one that fails."""
        if self.timestamper is None:
            return None
        try:
            return base64.b64encode(self.timestamper(note.encode())).decode()
        except TimestampUnavailable as failure:
            log.warning("timestamp_unavailable", error=type(failure).__name__)
            return None


def _is_due(session: Session, at: dt.datetime) -> bool:
    last = find_last_checkpoint(session)
    since = last.at if last is not None else find_first_disclosure_time(session)
    return since is not None and since + CHECKPOINT_INTERVAL <= at


@write_operation
def _catch_up(session: Session) -> int:
    return catch_up_log(session)


@write_operation
def _catch_up_alone(session: Session) -> int:
    """Write the rest of the log while nobody else writes, so that it has everything that was committed."""
    return catch_up_log(session, limit=ALL_CHAINS)


@write_operation
def _record_request(session: Session, *, actor: Actor, at: dt.datetime) -> None:
    record_disclosure(session, chain=AUDIT, act=DeskAct.CHECKPOINT_SIGNED, actor=actor, at=at)


@write_operation
def _store(session: Session, row: CheckpointRow) -> CheckpointRow:
    return _insert(session, row)


@write_operation
def _store_if_due(session: Session, row: CheckpointRow, *, at: dt.datetime) -> CheckpointRow | None:
    """Store and send the checkpoint, unless another process has just made one."""
    return _insert(session, row) if _is_due(session, at) else None


def _insert(session: Session, row: CheckpointRow) -> CheckpointRow:
    stored = CheckpointRow(**row.model_dump(exclude={"number"}))  # made here, since a write may run twice
    session.add(stored)
    append_event(session, EventKind.AUDIT_CHECKPOINT, at=row.at, data=checkpoint_payload(row))
    return stored
