"""The rows of the people at the desk: their invitations, passkeys and sessions."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import delete
from sqlmodel import Session, col, func, select

from app.models.clients import Scope
from app.models.people import ChallengeRow, InvitationRow, PasskeyRow, PersonRow, SessionRow
from app.models.roles import SCOPES_OF

TABLES_OF_A_PERSON = (SessionRow, PasskeyRow, InvitationRow)


def list_people(session: Session) -> list[PersonRow]:
    """Return every person by name, with those who left."""
    return list(session.exec(select(PersonRow).order_by(PersonRow.name)))


def list_workers(session: Session) -> list[str]:
    """Return the names of the people who may act on concerns, and have not left."""
    roles = [role for role, scopes in SCOPES_OF.items() if Scope.WRITE in scopes]
    names = select(PersonRow.name).where(col(PersonRow.left_at).is_(None), col(PersonRow.role).in_(roles))
    return list(session.exec(names.order_by(PersonRow.name)))


def count_passkeys(session: Session, name: str) -> int:
    """Return how many passkeys the person has."""
    return session.exec(select(func.count()).select_from(PasskeyRow).where(PasskeyRow.person == name)).one()


def list_passkeys(session: Session, name: str) -> Sequence[PasskeyRow]:
    """Return the passkeys of the person."""
    return session.exec(select(PasskeyRow).where(PasskeyRow.person == name)).all()


def find_last_use(session: Session, name: str) -> dt.datetime | None:
    """Return when a session of the person that has not ended was last used."""
    return session.exec(select(func.max(SessionRow.last_used_at)).where(SessionRow.person == name)).one()


def find_invitation(session: Session, token_sha256: bytes) -> tuple[InvitationRow, PersonRow] | None:
    """Return that invitation and its person, also if it has expired."""
    statement = select(InvitationRow, PersonRow).join(PersonRow)
    return session.exec(statement.where(InvitationRow.token_sha256 == token_sha256)).one_or_none()


def find_passkey(session: Session, credential_id: bytes) -> tuple[PasskeyRow, PersonRow] | None:
    """Return that passkey and its person."""
    statement = select(PasskeyRow, PersonRow).join(PersonRow)
    return session.exec(statement.where(PasskeyRow.credential_id == credential_id)).one_or_none()


def find_session(session: Session, token_sha256: bytes) -> tuple[SessionRow, PersonRow] | None:
    """Return that session and its person, also if it has expired."""
    statement = select(SessionRow, PersonRow).join(PersonRow)
    return session.exec(statement.where(SessionRow.token_sha256 == token_sha256)).one_or_none()


def delete_all_of(session: Session, name: str) -> None:
    """Delete the person's sessions, passkeys and invitations."""
    for table in TABLES_OF_A_PERSON:
        session.connection().execute(delete(table).where(col(table.person) == name))


def delete_session(session: Session, token_sha256: bytes) -> None:
    """Delete that session, if there is one."""
    session.connection().execute(delete(SessionRow).where(col(SessionRow.token_sha256) == token_sha256))


def delete_expired_challenges(session: Session, at: dt.datetime) -> None:
    """Delete the challenges that were not signed in time."""
    session.connection().execute(delete(ChallengeRow).where(col(ChallengeRow.expires_at) <= at))


def delete_unused_sessions(session: Session, *, last_used_before: dt.datetime, started_before: dt.datetime) -> None:
    """Delete the sessions that ended by themselves."""
    unused = (col(SessionRow.last_used_at) <= last_used_before) | (col(SessionRow.started_at) <= started_before)
    session.connection().execute(delete(SessionRow).where(unused))
