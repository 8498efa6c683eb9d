"""The people who work at the desk: invitations, roles and sessions, and the end of all access when a person leaves."""

import datetime as dt
import hmac
import secrets
from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, delete, func
from sqlmodel import Session, col, select

from app.db.writer import Writer
from app.errors import NoSuchItem, NoSuchPerson, SessionUnconfirmed, SetupError, TokenInvalid
from app.models.access.clients import Scope
from app.models.access.names import find_name_refusal, is_recordable
from app.models.access.people import InvitationRow, PasskeyRow, PersonRow, SessionRow
from app.models.access.roles import NO_ROLE, SCOPES_OF, Role, roles_with
from app.models.audit.details import InvitedDetails, PasskeyRemovedDetails, PersonDetails, RoleDetails, SessionDetails
from app.models.audit.rows import DeskAct
from app.services.access.access_record import by_operator, name_on_record, record_person
from app.services.access.clients import Principal, check_new_person, draw_token, revoke_clients_of, token_digest
from app.services.access.key_copies import delete_copies, may_hold_key
from app.services.access.row_signing import find_name_of, recorded_role, require_current_rows, require_ours
from app.services.audit.audit_log import Actor

HANDLE_BYTES = 32
BY_PASSKEY = "passkey:desk"
"""The client in the audit log after a sign-in with a passkey. No client can have this name."""
CONFIRMED_FOR = dt.timedelta(hours=1)
"""How long a confirmation of person and role by an OpenID provider counts."""
ASKED_AFTER = dt.timedelta(minutes=45)
"""A page view asks the provider again earlier, so that a later form is not refused."""
NOTED_AFTER = dt.timedelta(minutes=1)
"""Least time between two stored uses of a session, so that most page views write nothing."""
ROLE_OF_PROVIDER = "that person signs in by the OpenID provider, which says their role"
NO_OTHER_PASSKEY = "There is no such passkey, or it is your last one."
OfPerson = TypeVar("OfPerson", InvitationRow, PasskeyRow, SessionRow)


@dataclass(frozen=True)
class RelyingParty:
    """The service as WebAuthn knows it: its host, the start of its URLs, and the council's name."""

    id: str
    origin: str
    name: str


def list_people(session: Session) -> list[PersonRow]:
    """Return all people by name, including those who left."""
    return list(session.exec(select(PersonRow).order_by(PersonRow.name)))


def list_workers(session: Session) -> list[str]:
    """Return, by name, the people who may change concerns and have not left."""
    is_worker = col(PersonRow.left_at).is_(None), col(PersonRow.role).in_(roles_with(Scope.WRITE))
    names = select(PersonRow.name).where(*is_worker)
    return list(session.exec(names.order_by(PersonRow.name)))


def count_passkeys(session: Session) -> Counter[str]:
    """Count those of each person, by name."""
    return Counter(dict(session.exec(select(PasskeyRow.person, func.count()).group_by(PasskeyRow.person)).all()))


def find_last_uses(session: Session) -> dict[str, dt.datetime]:
    """Return when each person was last here, by name."""
    uses = select(SessionRow.person, func.max(SessionRow.last_used_at)).group_by(SessionRow.person)
    return dict(session.exec(uses).all())


def find_with_person(
    session: Session, table: type[OfPerson], condition: ColumnElement[bool]
) -> tuple[OfPerson, PersonRow] | None:
    """Return the row that matches, at most one, and its person, who may have left. Raise `RowNotOurs`."""
    statement = select(table, PersonRow).join(PersonRow, col(PersonRow.name) == table.person).where(condition)
    found = session.exec(statement).one_or_none()
    if found is not None:
        require_current_rows(session, *found)
    return found


def invite(
    writer: Writer, name: str, *, role: Role, expires_at: dt.datetime, at: dt.datetime, actor: Actor | None = None
) -> str:
    """Return the token of a single-use link for a passkey. Without `actor` the operator invites.

    A person who already has access gets the new role at once, and keeps passkeys and sessions. A person who left is
    admitted again. Raise `SetupError` (invalid name, or an OpenID provider gives the role), `RowNotOurs`, `StoreBusy`.
    """
    token, by = draw_token(), actor or by_operator(at)

    def write(session: Session) -> None:
        person = session.get(PersonRow, name)
        former = person.role if person is not None and person.left_at is None else None
        if person is None:
            person = PersonRow(
                name=check_new_person(name), role=role.value, handle=secrets.token_bytes(HANDLE_BYTES), added_at=at
            )
        elif person.left_at is None:
            require_ours(session, person)
        if person.provider is not None and person.left_at is None:
            raise SetupError(ROLE_OF_PROVIDER)
        person.role, person.left_at, person.provider, person.subject = role.value, None, None, None
        session.add(person)
        session.flush()
        link = InvitationRow(token_sha256=token_digest(token), person=person.name, expires_at=expires_at)
        session.add(link)
        details = InvitedDetails(person=person.name, role=role, link=name_on_record(link))
        record_person(session, DeskAct.INVITED, by, details)
        if former is not None:
            _record_role(session, person, former, by)
            _take_key(session, person, by)

    writer.run(write)
    return token


def change_role(session: Session, name: str, role: Role, *, actor: Actor) -> None:
    """Change a person's role, also in current sessions. If the new role may not read concerns, delete their key copies.

    Raise `NoSuchPerson`, `RowNotOurs`, or `SetupError` if an OpenID provider gives the role.
    """
    person = get_person(session, name)
    require_ours(session, person)
    if person.provider is not None:
        raise SetupError(ROLE_OF_PROVIDER)
    former, person.role = person.role, role.value
    _record_role(session, person, former, actor)
    _take_key(session, person, actor)


def get_person(session: Session, name: str) -> PersonRow:
    """Return the person. Raise `NoSuchPerson` also if they have left."""
    person = session.get(PersonRow, name)
    if person is None or person.is_over:
        raise NoSuchPerson
    return person


def end_sessions(session: Session, name: str, *, actor: Actor) -> None:
    """End a person's sessions on every device. One sign-out by `actor` is recorded, even if there was no session."""
    session.connection().execute(delete(SessionRow).where(col(SessionRow.person) == name))
    other = None if actor.person == name else name
    record_person(session, DeskAct.SIGNED_OUT, actor, SessionDetails(person=other))


def lock_person_out(session: Session, name: str, *, actor: Actor) -> None:
    """End a person's sessions and delete their key copies, for a lost device. Its passkey can still sign in."""
    end_sessions(session, name, actor=actor)
    delete_copies(session, name, actor=actor)


def remove_passkey(session: Session, name: str, passkey: str, *, actor: Actor) -> None:
    """Remove a passkey, and end all sessions of its person.

    Raise `NoSuchItem` also if `actor` would remove their own last one.
    """
    passkeys = session.exec(select(PasskeyRow).where(PasskeyRow.person == name)).all()
    row = next((each for each in passkeys if name_on_record(each) == passkey), None)
    if row is None or (len(passkeys) == 1 and actor.person == name):
        raise NoSuchItem(NO_OTHER_PASSKEY)
    delete_copies(session, name, actor=actor, passkey=passkey)
    record_person(session, DeskAct.PASSKEY_REMOVED, actor, PasskeyRemovedDetails(person=name, passkey=passkey))
    session.delete(row)
    end_sessions(session, name, actor=actor)


def remove_person_access(session: Session, name: str, *, at: dt.datetime, actor: Actor | None = None) -> list[str]:
    """End all access of a person. Return their clients, which stay revoked after a new invitation.

    Raise `NoSuchPerson`.
    """
    by = actor or by_operator(at)
    person, clients = session.get(PersonRow, name), revoke_clients_of(session, name, actor=by)
    if person is None and not clients:
        raise NoSuchPerson
    if person is not None:
        person.left_at = person.left_at or at
    delete_copies(session, name, actor=by)
    for table in (SessionRow, PasskeyRow, InvitationRow):
        session.connection().execute(delete(table).where(col(table.person) == name))
    record_person(session, DeskAct.LEFT, by, PersonDetails(person=name))
    return clients


def name_of_person_signing_in(session: Session, subject: str, given: str | None) -> str:
    """Return the name of an earlier sign-in, otherwise `given`. The id is added if another person has had that name."""
    known = find_name_of(session, subject)
    if known is not None:
        return known
    if given is None or not is_recordable(given) or find_name_refusal(given) is not None:
        return subject
    if session.get(PersonRow, given) is None and recorded_role(session, given) == NO_ROLE:
        return given
    longer = f"{given} ({subject})"
    return longer if is_recordable(longer) else subject


def sign_in_person(
    session: Session, name: str, *, role: Role, provider: str, subject: str, actor: Actor
) -> PersonRow | None:
    """Store who signed in through a provider. Return None if they left, use a passkey, or are another `subject`.

    A role that differs from the last recorded one is recorded: the row may be an older version put back. Raise
    `RowNotOurs`.
    """
    person, former = session.get(PersonRow, name), recorded_role(session, name)
    if former is None:
        return None
    if person is None:
        person = PersonRow(
            name=name,
            role=role.value,
            provider=provider,
            subject=subject,
            handle=secrets.token_bytes(HANDLE_BYTES),
            added_at=actor.at,
        )
    elif person.left_at is not None or (person.provider, person.subject) != (provider, subject):
        return None
    else:
        require_ours(session, person)
    person.role = role.value
    session.add(person)
    _record_role(session, person, former, actor)
    return person


def take_role_from_person(session: Session, name: str, *, provider: str, actor: Actor) -> None:
    """End the role and all sessions of a person to whom `provider` no longer gives one. Raise `RowNotOurs`."""
    person = session.get(PersonRow, name)
    if person is not None and not person.is_over and person.provider == provider:
        former, person.role = person.role, NO_ROLE
        _record_role(session, person, former, actor)
        session.connection().execute(delete(SessionRow).where(col(SessionRow.person) == name))


def _take_key(session: Session, person: PersonRow, actor: Actor) -> None:
    if not may_hold_key(person):
        delete_copies(session, person.name, actor=actor)


def _record_role(session: Session, person: PersonRow, former: str, actor: Actor) -> None:
    if former != person.role:
        details = RoleDetails(person=person.name, former=former, role=person.role, subject=person.subject)
        record_person(session, DeskAct.ROLE_CHANGED, actor, details)


@dataclass(frozen=True)
class DeskSessions:
    """The desk's sessions. Each ends after `idle` without a request, and at the latest `longest` after its start."""

    writer: Writer
    idle: dt.timedelta
    longest: dt.timedelta

    def start(
        self,
        person: str,
        *,
        client: str,
        address: str,
        at: dt.datetime,
        former: str | None = None,
        goes_on: bool = False,
    ) -> str:
        """Record the sign-in, and return the token. Delete `former` and all sessions that have ended.

        If `goes_on`, and `former` was of the same person and client, the new session keeps its start. Raise
        `TokenInvalid` (unknown, left), `RowNotOurs`, `StoreBusy`.
        """
        token = draw_token()

        def write(session: Session) -> None:
            is_over = (col(SessionRow.last_used_at) <= at - self.idle) | (
                col(SessionRow.started_at) <= at - self.longest
            )
            before = session.get(SessionRow, token_digest(former)) if former is not None else None
            is_same = before is not None and (before.person, before.client) == (person, client)
            started_at = before.started_at if before is not None and is_same and goes_on else at
            if former is not None:
                is_over |= col(SessionRow.token_sha256) == token_digest(former)
            session.connection().execute(delete(SessionRow).where(is_over))
            found = session.get(PersonRow, person)
            if found is None or found.left_at is not None:
                raise TokenInvalid("the person has left")
            require_current_rows(session, found)
            row = SessionRow(
                token_sha256=token_digest(token),
                person=person,
                client=client,
                started_at=started_at,
                confirmed_at=at,
                last_used_at=at,
            )
            session.add(row)
            record_person(
                session, DeskAct.SIGNED_IN, _actor_of(row, address, at), SessionDetails(session=name_on_record(row))
            )

        self.writer.run(write)
        return token

    def find(self, token: str, *, at: dt.datetime, may_ask: bool = False) -> Principal:
        """Return the person, with the scopes of their current role. Raise `TokenInvalid`, `RowNotOurs`, `StoreBusy`.

        Raise `SessionUnconfirmed` if the OpenID provider must confirm them: after an hour, or after 45 minutes if
        `may_ask` (the browser can be redirected now).
        """
        token_sha256 = token_digest(token)
        with Session(self.writer.engine) as session:
            found = find_with_person(session, SessionRow, col(SessionRow.token_sha256) == token_sha256)
        if found is None or not hmac.compare_digest(found[0].token_sha256, token_sha256):
            raise TokenInvalid("no session has that token")
        row, person = found
        if person.left_at is not None:
            raise TokenInvalid("the person has left")
        if at >= min(row.last_used_at + self.idle, row.started_at + self.longest):
            raise TokenInvalid("the session has ended")
        if person.role == NO_ROLE:
            raise TokenInvalid("the provider gives the person no role")
        if row.client != BY_PASSKEY and at >= row.confirmed_at + (ASKED_AFTER if may_ask else CONFIRMED_FOR):
            raise SessionUnconfirmed("the provider is asked again")
        if at >= row.last_used_at + min(NOTED_AFTER, self.idle / 2):
            self._note_use(token_sha256, at)
        return Principal(row.client, frozenset(SCOPES_OF[Role(person.role)]), person.name)

    def end(self, token: str, *, address: str, at: dt.datetime) -> None:
        """Record the sign-out. Do nothing without such a session. Raise `StoreBusy`."""

        def write(session: Session) -> None:
            found = session.get(SessionRow, token_digest(token))
            if found is not None:
                session.delete(found)
                record_person(
                    session,
                    DeskAct.SIGNED_OUT,
                    _actor_of(found, address, at),
                    SessionDetails(session=name_on_record(found)),
                )

        self.writer.run(write)

    def _note_use(self, token_sha256: bytes, at: dt.datetime) -> None:
        def write(session: Session) -> None:
            row = session.get(SessionRow, token_sha256)
            if row is not None:
                row.last_used_at = max(row.last_used_at, at)

        self.writer.run(write)


def _actor_of(row: SessionRow, address: str, at: dt.datetime) -> Actor:
    return Actor(Principal(row.client, frozenset(), row.person).name_on_record, address, at)
