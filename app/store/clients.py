"""The rows of clients."""

import datetime as dt

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.errors import ClientExists, NoSuchClient
from app.models.clients import ClientRow


def insert_client(connection: Connection, client: ClientRow) -> None:
    """Insert it; raises `ClientExists` where its name was used before."""
    try:
        connection.execute(insert(ClientRow), [client.model_dump()])
    except IntegrityError:
        raise ClientExists from None


def mark_revoked(connection: Connection, *, name: str, at: dt.datetime) -> None:
    """Mark it revoked, if it is not yet; raises `NoSuchClient`."""
    if connection.execute(select(col(ClientRow.name)).where(col(ClientRow.name) == name)).first() is None:
        raise NoSuchClient
    connection.execute(
        update(ClientRow).where(col(ClientRow.name) == name, col(ClientRow.revoked_at).is_(None)).values(revoked_at=at)
    )


def find_client(session: Session, *, key_sha256: bytes) -> ClientRow | None:
    """The client with that key, unless it is revoked."""
    return session.scalar(
        select(ClientRow).where(col(ClientRow.key_sha256) == key_sha256, col(ClientRow.revoked_at).is_(None))
    )


def list_clients(session: Session) -> list[ClientRow]:
    """Every client, revoked ones too, by name."""
    return list(session.scalars(select(ClientRow).order_by(col(ClientRow.name))))
