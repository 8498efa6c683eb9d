"""The rows of clients and of their keys."""

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.errors import ClientExists
from app.models.clients import ClientKeyRow, ClientRow


def insert_client(session: Session, client: ClientRow) -> None:
    """Insert the client; raises `ClientExists` if the name is already used."""
    session.add(client)
    try:
        session.flush()
    except IntegrityError:
        raise ClientExists from None


def find_key(session: Session, *, key_sha256: bytes) -> tuple[ClientKeyRow, ClientRow] | None:
    """Return that key and its client, also if either is no longer valid."""
    statement = select(ClientKeyRow, ClientRow).join(ClientRow).where(ClientKeyRow.key_sha256 == key_sha256)
    return session.exec(statement).one_or_none()


def list_keys(session: Session, client: str) -> list[ClientKeyRow]:
    """Return every key of the client, the oldest first."""
    statement = select(ClientKeyRow).where(ClientKeyRow.client == client)
    return list(session.exec(statement.order_by(col(ClientKeyRow.added_at), col(ClientKeyRow.key_sha256))))


def list_clients(session: Session) -> list[tuple[ClientRow, list[ClientKeyRow]]]:
    """Return every client by name, with those that are revoked, each with its keys."""
    return [
        (client, list_keys(session, client.name)) for client in session.exec(select(ClientRow).order_by(ClientRow.name))
    ]


def revoke_clients_of(session: Session, person: str, *, at: dt.datetime) -> list[str]:
    """Revoke the clients that act for the person. Return the names of all that do, revoked before or now."""
    clients = session.exec(select(ClientRow).where(ClientRow.person == person).order_by(ClientRow.name)).all()
    for client in clients:
        client.revoked_at = client.revoked_at or at
    return [client.name for client in clients]


def store_uses(session: Session, uses: Mapping[bytes, dt.datetime]) -> None:
    """Store when keys were last used, unless a later use is stored."""
    for key_sha256, used_at in sorted(uses.items()):  # in one order for all nodes
        last = col(ClientKeyRow.last_used_at)
        session.connection().execute(
            update(ClientKeyRow)
            .where(col(ClientKeyRow.key_sha256) == key_sha256, or_(last.is_(None), last < used_at))
            .values(last_used_at=used_at)
        )
