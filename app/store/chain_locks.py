"""Locks of chains, so that all that happens to one concern takes turns, on whatever node."""

from collections.abc import Collection

from sqlalchemy import Connection, text

from app.models.desk.disclosure_tables import WITHOUT_A_CONCERN

FIRST_PREVIOUS_SHA256 = "0" * 64
_LOCK = text("SELECT name FROM chains WHERE name = ANY(:names) ORDER BY name FOR UPDATE")
_BEGIN = text(
    f"INSERT INTO chains (name, length, head_sha256, logged) VALUES (:name, 0, '{FIRST_PREVIOUS_SHA256}', 0)"  # noqa: S608  # nosec B608  # own names
    " ON CONFLICT DO NOTHING"
)


def lock_chains(connection: Connection, names: Collection[str]) -> None:
    """Lock the ends of those chains until the end of the transaction, in one order for all, so that none deadlock.

    A concern's chain begins with the concern. The others begin here: whichever node is first, the rest wait for it.
    SQLite has one writer, and needs no lock.
    """
    if not names or connection.dialect.name == "sqlite":
        return
    wanted = {"names": sorted(names)}
    locked = connection.execute(_LOCK, wanted).scalars().all()
    absent = sorted(set(WITHOUT_A_CONCERN).intersection(names).difference(locked))
    if absent:
        connection.execute(_BEGIN, [{"name": name} for name in absent])
        connection.execute(_LOCK, wanted)
