"""The Merkle tree of RFC 6962 (section 2.1) over an append-only list, of which only the frontier is stored."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

LEAF, NODE = b"\x00", b"\x01"


@dataclass
class MerkleTree:
    """A tree of `size` leaves, as the roots of its complete subtrees, the largest first."""

    size: int = 0
    frontier: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Add a leaf at the end."""
        node = hashlib.sha256(LEAF + leaf).digest()
        larger = self.size
        while larger & 1:  # a complete subtree of the same size is on the left
            node = _join(self.frontier.pop(), node)
            larger >>= 1
        self.frontier.append(node)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add the leaves in their order."""
        for leaf in leaves:
            self.append(leaf)

    @property
    def root(self) -> bytes:
        """The Merkle tree hash."""
        if not self.frontier:
            return hashlib.sha256().digest()
        *larger, node = self.frontier
        for left in reversed(larger):
            node = _join(left, node)
        return node


def _join(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()
