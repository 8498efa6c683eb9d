"""Sessions of people at the desk's pages: stored on the server, found by a random token in a cookie."""

import datetime as dt
import hmac
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import TokenInvalid
from app.models.desk.disclosure_tables import DeskAct
from app.models.people import PersonRow, SessionRow
from app.models.roles import SCOPES_OF, Role
from app.services.access.people import draw_token, record_person, token_digest
from app.services.access.principals import Principal
from app.store.disclosures import Actor
from app.store.people import delete_session, delete_unused_sessions, find_session
from app.store.writer import Writer

NOTED_AFTER = dt.timedelta(minutes=1)
"""A use is written once a minute, so that a page that is read costs no write."""


@dataclass(frozen=True)
class DeskSessions:
    """Starts, finds and ends sessions. One ends after `idle` without a request, and after `longest` in any case."""

    engine: Engine
    writer: Writer
    idle: dt.timedelta
    longest: dt.timedelta

    def start(self, person: str, *, client: str, address: str, at: dt.datetime, former: str | None = None) -> str:
        """Return the token of a new session, which is on the record. The one that the browser had, `former`, ends."""
        token = draw_token()

        def write(session: Session) -> None:
            if former is not None:
                delete_session(session, token_digest(former))
            delete_unused_sessions(session, last_used_before=at - self.idle, started_before=at - self.longest)
            found = session.get(PersonRow, person)
            if found is None or found.left_at is not None:
                raise TokenInvalid("the person has left")
            row = SessionRow(
                token_sha256=token_digest(token), person=person, client=client, started_at=at, last_used_at=at
            )
            session.add(row)
            record_person(session, DeskAct.SIGNED_IN, actor=_actor_of(row, address), at=at)

        self.writer.run(write)
        return token

    def find(self, token: str, *, at: dt.datetime) -> Principal:
        """Return who has the session, with the scopes of the role that they have now. Raises `TokenInvalid`."""
        token_sha256 = token_digest(token)
        with Session(self.engine) as session:
            found = find_session(session, token_sha256)
        if found is None or not hmac.compare_digest(found[0].token_sha256, token_sha256):
            raise TokenInvalid("no session has that token")
        row, person = found
        if person.left_at is not None:
            raise TokenInvalid("the person has left")
        if at >= min(row.last_used_at + self.idle, row.started_at + self.longest):
            raise TokenInvalid("the session has ended")
        if at >= row.last_used_at + min(NOTED_AFTER, self.idle / 2):
            self._note_use(token_sha256, at)
        return Principal(row.client, frozenset(SCOPES_OF[Role(person.role)]), person.name)

    def end(self, token: str, *, address: str, at: dt.datetime) -> None:
        """End the session, if there is one, and record that its person signed out."""

        def write(session: Session) -> None:
            found = find_session(session, token_digest(token))
            if found is not None:
                delete_session(session, token_digest(token))
                record_person(session, DeskAct.SIGNED_OUT, actor=_actor_of(found[0], address), at=at)

        self.writer.run(write)

    def _note_use(self, token_sha256: bytes, at: dt.datetime) -> None:
        def write(session: Session) -> None:
            row = session.get(SessionRow, token_sha256)
            if row is not None:
                row.last_used_at = max(row.last_used_at, at)

        self.writer.run(write)


def _actor_of(row: SessionRow, address: str) -> Actor:
    return Actor(Principal(row.client, frozenset(), row.person).name_on_record, address)
