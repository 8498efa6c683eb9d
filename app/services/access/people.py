"""The people at the desk: inviting them, and ending everything of a person who leaves."""

import datetime as dt
import hashlib
import secrets

from sqlmodel import Session

from app.errors import NoSuchPerson, SetupError
from app.models.desk.disclosure_tables import PEOPLE, DeskAct
from app.models.people import InvitationRow, PersonRow
from app.models.roles import Role
from app.services.access.principals import check_person
from app.store.clients import revoke_clients_of
from app.store.disclosures import Actor, record_disclosure
from app.store.people import delete_all_of
from app.store.writer import Writer, write_operation

TOKEN_BYTES = 32
HANDLE_BYTES = 32
BY_PASSKEY = "passkey:desk"
"""What the record names before a person who signed in with a passkey. No client has such a name."""
OPERATOR = Actor("operator", "command line")
"""Who invites people, and who says that they left."""


def draw_token() -> str:
    """Return a new secret of 256 random bits, for a link or a cookie."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_digest(token: str) -> bytes:
    """Return the SHA-256 of a secret: what is stored of it."""
    return hashlib.sha256(token.encode()).digest()


def invite(writer: Writer, name: str, *, role: Role, expires_at: dt.datetime, at: dt.datetime) -> str:
    """Return the token of a link with which the person registers a passkey, once.

    A person who is already there gets that role at once, and keeps what they have. Raises `SetupError` for a name that
    cannot stand on the record, and for a person whose role a provider says.
    """
    check_person(name)
    token = draw_token()

    def write(session: Session) -> None:
        person = session.get(PersonRow, name)
        former = person.role if person is not None and person.left_at is None else None
        if person is None:
            person = PersonRow(name=name, role=role.value, handle=secrets.token_bytes(HANDLE_BYTES), added_at=at)
        if person.provider is not None and person.left_at is None:
            raise SetupError("that person signs in by the OpenID provider, which says their role")
        person.role, person.left_at, person.provider = role.value, None, None
        session.add(person)
        session.flush()
        session.add(InvitationRow(token_sha256=token_digest(token), person=name, expires_at=expires_at))
        record_person(session, DeskAct.INVITED, actor=OPERATOR, at=at, detail=f"{name} as {role}")
        if former is not None:
            _record_role(session, name, former, role, actor=OPERATOR, at=at)

    writer.run(write)
    return token


@write_operation
def leave(session: Session, name: str, *, at: dt.datetime) -> list[str]:
    """End every session, passkey and invitation of the person, and the keys of each client that acts for that person.

    Nobody signs in by that name until it is invited again; a client stays revoked. Return the names of the clients.
    Raises `NoSuchPerson`, where neither the desk nor a client has that person.
    """
    person, clients = session.get(PersonRow, name), revoke_clients_of(session, name, at=at)
    if person is None and not clients:
        raise NoSuchPerson
    if person is not None:
        person.left_at = person.left_at or at
    delete_all_of(session, name)
    record_person(session, DeskAct.LEFT, actor=OPERATOR, at=at, detail=name)
    return clients


@write_operation
def welcome(
    session: Session, name: str, *, role: Role, provider: str, actor: Actor, at: dt.datetime
) -> PersonRow | None:
    """Store the person that a provider names, who is the actor, with the role that it gives, and return the row.

    Return None where the person left, or where somebody of that name has passkeys or another provider.
    """
    person = session.get(PersonRow, name)
    former = person.role if person is not None else "no role"
    if person is None:
        person = PersonRow(
            name=name, role=role.value, provider=provider, handle=secrets.token_bytes(HANDLE_BYTES), added_at=at
        )
    elif person.left_at is not None or person.provider != provider:
        return None
    person.role = role.value
    session.add(person)
    _record_role(session, name, former, role, actor=actor, at=at)
    return person


def record_person(session: Session, act: DeskAct, *, actor: Actor, at: dt.datetime, detail: str = "") -> None:
    """Record who was let in, who signed in or out, and who left, in a chain of its own."""
    record_disclosure(session, chain=PEOPLE, act=act, actor=actor, at=at, detail=detail)


def _record_role(session: Session, name: str, former: str, role: Role, *, actor: Actor, at: dt.datetime) -> None:
    if former != role:
        record_person(session, DeskAct.ROLE_CHANGED, actor=actor, at=at, detail=f"{name} from {former} to {role}")
