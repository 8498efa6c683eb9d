"""Comparing the record with checkpoints: those in the database, and those that a second party has stored."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Engine
from sqlmodel import Session

from app.models.desk.merkle import MerkleTree
from app.services.desk.signed_notes import Checkpoint
from app.store.checkpoints import iterate_leaves, list_checkpoints


def verify_checkpoints(engine: Engine, others: Sequence[tuple[str, Checkpoint]] = ()) -> Iterator[tuple[str, str]]:
    """Yield each checkpoint that the record does not agree with, and how. Each of `others` has a name to show."""
    with Session(engine) as session:
        expected = [(f"checkpoint {row.number}", row.size, row.root_sha256) for row in list_checkpoints(session)]
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
