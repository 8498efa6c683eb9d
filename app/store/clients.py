"""The rows of clients."""

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.errors import ClientExists
from app.models.clients import ClientRow


def insert_client(session: Session, client: ClientRow) -> None:
    """Insert the client; raises `ClientExists` if the name is already used."""
    session.add(client)
    try:
        session.flush()
    except IntegrityError:
        raise ClientExists from None


def find_client(session: Session, *, key_sha256: bytes) -> ClientRow | None:
    """Return the client with that key, unless it is revoked."""
    return session.exec(
        select(ClientRow).where(ClientRow.key_sha256 == key_sha256, col(ClientRow.revoked_at).is_(None))
    ).one_or_none()


def list_clients(session: Session) -> list[ClientRow]:
    """Return every client by name, with those that are revoked."""
    return list(session.exec(select(ClientRow).order_by(ClientRow.name)))
