"""Checkpoints: signed statements about the whole audit log, which an independent auditor stores.

A checkpoint states how many entries the audit log has, and the Merkle root of their hashes (RFC 6962). If the database
is rolled back, or its audit log is cut or rewritten, the audit log contradicts a checkpoint that is stored elsewhere. A
checkpoint is a signed note in the formats of C2SP (c2sp.org/tlog-checkpoint, c2sp.org/signed-note).
"""

import base64
import binascii
import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import func
from sqlmodel import Session, col, select

from app.config import Settings
from app.db.writer import Writer
from app.errors import CheckpointNotGenuine, SetupError
from app.models.audit.details import CheckpointDetails
from app.models.audit.rows import AUDIT, OUTBOX, AuditEntryRow, CheckpointRow, DeskAct
from app.models.events.rows import EventKind
from app.models.links import CHECKPOINT
from app.services.audit.audit_log import Actor, by_itself, record_action
from app.services.audit.chains import find_end
from app.services.events.outbox import append_event

CHECKPOINT_INTERVAL = dt.timedelta(days=1)
MOST_BETWEEN = 20_000
"""Entries after which a checkpoint is due: one on request reads those since the last stored one."""
LEAF, NODE = b"\x00", b"\x01"
ED25519 = b"\x01"
KEY_ID_BYTES = 4
HASH_BYTES = 32
NAME_OF_HOST = re.compile(r"[^\s+]+")
SIGNATURE_LINE = re.compile("— ([^ +]+) ([A-Za-z0-9+/]+={0,2})")
TREE_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
MAX_NOTE_LENGTH = 100_000


@dataclass
class MerkleTree:
    """A Merkle tree (RFC 6962).

    `frontier` has the roots of the largest complete subtrees, which are enough to add leaves.
    """

    size: int = 0
    frontier: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        node = hashlib.sha256(LEAF + leaf).digest()
        larger = self.size
        while larger & 1:  # a complete subtree of the same size is on the left
            node = _join(self.frontier.pop(), node)
            larger >>= 1
        self.frontier.append(node)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        for leaf in leaves:
            self.append(leaf)

    @property
    def root(self) -> bytes:
        if not self.frontier:
            return hashlib.sha256().digest()
        *larger, node = self.frontier
        for left in reversed(larger):
            node = _join(left, node)
        return node


def _join(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()


@dataclass(frozen=True)
class Checkpoint:
    """`origin` is the name of the log."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True)
class Verifier:
    """Verifies signed notes, under any key name if `name` is None."""

    key: Ed25519PublicKey
    name: str | None = None

    def matches(self, name: str, key_id: bytes) -> bool:
        """Return True if a signature line claims to be by this key."""
        return self.name in (None, name) and key_id == _key_id_of(name, self.key)


@dataclass(frozen=True)
class NoteSigner:
    """Signs as `origin`, which is the name of the audit log and of the key."""

    origin: str
    key: Ed25519PrivateKey

    def sign(self, size: int, root: bytes) -> str:
        """Sign a checkpoint of the first `size` entries with their Merkle root."""
        text = Checkpoint(self.origin, size, root).text
        signature = _key_id_of(self.origin, self.key.public_key()) + self.key.sign(text.encode())
        return f"{text}\n— {self.origin} {base64.b64encode(signature).decode()}\n"

    @property
    def verifier_key(self) -> str:
        """Return name, key ID and key, joined by '+', as in C2SP signed notes."""
        public = self.key.public_key()
        encoded = base64.b64encode(ED25519 + public.public_bytes_raw()).decode()
        return f"{self.origin}+{_key_id_of(self.origin, public).hex()}+{encoded}"


@dataclass(frozen=True)
class SignedCheckpoint:
    """A checkpoint signed on an auditor's request, which is not stored."""

    size: int
    root: bytes
    note: str


@dataclass(frozen=True)
class Checkpoints:
    """Makes checkpoints: daily ones, which are stored and sent, and others at an auditor's request."""

    writer: Writer
    signer: NoteSigner

    def sign(self, *, actor: Actor) -> SignedCheckpoint:
        """Sign a checkpoint that includes the record of this request. It is not stored. Raise `StoreBusy`."""
        self.writer.run(_record_signing, actor=actor)
        with Session(self.writer.engine) as session:
            tree = _current_tree(session)
        return SignedCheckpoint(tree.size, tree.root, self.signer.sign(tree.size, tree.root))

    def make(self, *, at: dt.datetime) -> CheckpointRow:
        """Record, sign and store a checkpoint, with the event `audit.checkpoint`. Raise `StoreBusy`."""
        with Session(self.writer.engine) as session:
            before = _current_tree(session)
        return self.writer.run(_insert, self.signer, at, before)

    def make_if_due(self, *, at: dt.datetime) -> CheckpointRow | None:
        """Make a checkpoint if the last is a day old or `MOST_BETWEEN` entries ago.

        The first counts from the first entry. Of several processes only one makes it. Raise `StoreBusy`.
        """
        with Session(self.writer.engine) as session:
            if not _is_due(session, at):
                return None
            before = _current_tree(session)  # reads most entries before the write transaction

        def make(session: Session) -> CheckpointRow | None:  # returns None if another process has just made one
            return _insert(session, self.signer, at, before) if _is_due(session, at) else None

        return self.writer.run(make)


def origin_at(public_url: str) -> str:
    """Return the host, with its port, then '/disclosures'. Raise `SetupError` if it cannot be part of a key's name."""
    host = urlsplit(public_url).netloc
    if not NAME_OF_HOST.fullmatch(host):
        raise SetupError("the host of GUIDANCE_PUBLIC_URL cannot be in the name of a checkpoint")
    return f"{host}/disclosures"


def open_checkpoints(settings: Settings, writer: Writer, key: Ed25519PrivateKey) -> Checkpoints:
    """Return the checkpoints. `key` also signs receipts. Raise the errors of `origin_at`."""
    return Checkpoints(writer, NoteSigner(origin_at(settings.public_url), key))


def parse_verifier_key(text: str) -> Verifier:
    """Parse `council.example/record+c74f20a3+AeS3...`. Raise `SetupError`, also if the key ID does not match."""
    try:
        name, key_id, encoded = text.strip().split("+", 2)
        decoded = base64.b64decode(encoded, validate=True)
        key = Ed25519PublicKey.from_public_bytes(decoded[1:])
        if decoded[:1] != ED25519 or _key_id_of(name, key).hex() != key_id:
            raise ValueError
    except ValueError:
        raise SetupError("that is not the public key of a signed note (name+hash+key)") from None
    return Verifier(key, name)


def open_checkpoint(note: str, verifiers: Iterable[Verifier]) -> Checkpoint:
    """Return a checkpoint that this key signed. Other signatures are ignored. Raise `CheckpointNotGenuine`."""
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or len(note) > MAX_NOTE_LENGTH or not _is_signed(f"{text}\n", signatures, list(verifiers)):
        raise CheckpointNotGenuine
    return _parse(text)


def _key_id_of(name: str, key: Ed25519PublicKey) -> bytes:
    """Return the four bytes that identify `key` under `name`."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + key.public_bytes_raw()).digest()[:KEY_ID_BYTES]


def checkpoint_leaves(session: Session, *, after: int) -> Iterator[bytes]:
    """Yield the hashes by position, which numbers the entries of all chains together."""
    position = col(AuditEntryRow.position)
    hashes = select(AuditEntryRow.sha256).where(position > after).order_by(position)
    with session.exec(hashes.execution_options(yield_per=1000)) as found:
        for sha256 in found:
            yield bytes.fromhex(sha256)


def _current_tree(session: Session, before: MerkleTree | None = None) -> MerkleTree:
    """Start from `before`, which is not changed, or from the last stored checkpoint: only later entries are read."""
    tree = MerkleTree()
    if before is not None:
        tree = MerkleTree(before.size, [*before.frontier])
    elif (last := _find_last(session)) is not None:
        tree = MerkleTree(last.size, [bytes.fromhex(node) for node in last.frontier])
    tree.extend(checkpoint_leaves(session, after=tree.size))
    return tree


def _find_last(session: Session) -> CheckpointRow | None:
    return session.exec(select(CheckpointRow).order_by(col(CheckpointRow.number).desc()).limit(1)).first()


def _is_due(session: Session, at: dt.datetime) -> bool:
    last = _find_last(session)
    first = select(AuditEntryRow.at).order_by(col(AuditEntryRow.position)).limit(1)
    since = last.at if last is not None else session.exec(first).first()
    entries = session.exec(select(func.max(AuditEntryRow.position))).one() or 0
    is_many = entries - (last.size if last is not None else 0) >= MOST_BETWEEN
    return is_many or (since is not None and since + CHECKPOINT_INTERVAL <= at)


def _record_signing(session: Session, actor: Actor) -> None:
    """Record the number and hash of the last event, so that the checkpoint covers events too."""
    events = find_end(session.connection(), OUTBOX)
    details = CheckpointDetails(events=events.number, sha256=events.sha256) if events.number else CheckpointDetails()
    record_action(session, AUDIT, DeskAct.CHECKPOINT_SIGNED, actor, details)


def _insert(session: Session, signer: NoteSigner, at: dt.datetime, before: MerkleTree) -> CheckpointRow:
    """`before` was read before the write transaction."""
    _record_signing(session, by_itself(at))
    last = _find_last(session)
    tree = _current_tree(session, before)
    row = CheckpointRow(
        number=((last and last.number) or 0) + 1,  # a PostgreSQL sequence skips numbers after a crash
        at=at,
        size=tree.size,
        root_sha256=tree.root.hex(),
        frontier=[node.hex() for node in tree.frontier],
        note=signer.sign(tree.size, tree.root),
    )
    session.add(row)
    data = {
        "size": row.size,
        "root_sha256": row.root_sha256,
        "checkpoint": row.note,
        "links": {"checkpoint": CHECKPOINT},
    }
    append_event(session, EventKind.AUDIT_CHECKPOINT, at=at, data=data)
    return row


def _is_signed(text: str, signatures: str, verifiers: list[Verifier]) -> bool:
    verified = False
    for line in signatures.splitlines():
        found = SIGNATURE_LINE.fullmatch(line)
        if found is None:
            return False
        try:
            signature = base64.b64decode(found[2], validate=True)
            for each in verifiers:
                if each.matches(found[1], signature[:KEY_ID_BYTES]):
                    each.key.verify(signature[KEY_ID_BYTES:], text.encode())
                    verified = True
        except (binascii.Error, InvalidSignature):  # a wrong signature by a key of `verifiers` makes the note invalid
            return False
    return verified


def _parse(text: str) -> Checkpoint:
    origin, size, encoded, *_ = [*text.split("\n"), "", ""]
    try:
        root = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise CheckpointNotGenuine from None
    if not origin or not TREE_SIZE.fullmatch(size) or len(root) != HASH_BYTES:
        raise CheckpointNotGenuine
    return Checkpoint(origin, int(size), root)
