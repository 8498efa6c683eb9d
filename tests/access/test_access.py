"""Rows that let somebody in: only those that this service wrote do, and the record says how each came."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlmodel import Session, SQLModel
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app
from app.config import Settings
from app.db.database import open_database
from app.db.schema import migrate_schema
from app.db.writer import Writer
from app.errors import NoSuchClient, RowNotOurs, SetupError, TokenInvalid
from app.http.context import AppContext
from app.http.visitors import SESSION_COOKIE
from app.main import create_app
from app.models.access.clients import ClientRow, Scope
from app.models.access.roles import Role
from app.models.access.rows import AccessRow
from app.models.audit.details import ClientDetails
from app.models.audit.rows import DeskAct
from app.services.access import passkeys
from app.services.access.access_record import AccessRecord, RecordedAccess, by_operator, record_person
from app.services.access.clients import add_client, revoke_client, rotate_key
from app.services.access.people import BY_PASSKEY, end_sessions, invite, remove_person_access, sign_in_person
from app.services.access.row_signing import (
    ACCESS_KEY,
    ACCESS_ROWS,
    open_access_keys,
    require_access_keys,
    verify_access,
)
from app.services.audit.audit_log import Actor
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.databases import RawConnection, drop_triggers, on_postgresql, raw_connection
from tests.support.live import LiveServer
from tests.support.log_lines import Lines
from tests.support.people import ADDRESS, JO, OWN_PAGE, context_of_service, invited, sign_in_as, store_passkey

pytestmark = pytest.mark.slow

NAMES = [str(each.__tablename__) for each in ACCESS_ROWS]
A_DAY = dt.timedelta(days=1)
INVENTED = "omg_" + "m" * 43
THEN = "2026-11-24 09:00:00"


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True)
class Place:
    """A service in which somebody of each kind is let in, and its database as somebody else opens it."""

    service: FastAPI
    http: TestClient
    database: RawConnection
    key: str
    link: str

    @property
    def context(self) -> AppContext:
        """Return the parts of the service."""
        return context_of_service(self.service)

    def reads(self, key: str) -> int:
        """Return the status of what a client asks with that key."""
        return self.http.get("/v1/desk/summary", headers={"Authorization": f"Bearer {key}"}).status_code

    def opens_the_desk(self) -> bool:
        """Return whether the browser's session opens the inbox."""
        return self.http.get("/desk", follow_redirects=False).status_code == 200

    def takes_the_link(self) -> bool:
        """Return whether the link of the invitation lets a passkey be made."""
        answer = self.http.post("/desk/invitation/options", data={"token": self.link}, headers=OWN_PAGE)
        return answer.status_code == 200

    def knows_the_passkey(self) -> bool:
        """Return whether a passkey of that id is one of a person."""
        try:
            self.context.writer.run(passkeys._get_passkey, credential_id=b"passkey of Jo")
        except TokenInvalid:
            return False
        return True

    def faults(self) -> list[str]:
        """Return what the check of all rows finds."""
        return sorted(f"{about}: {fault}" for about, fault in verify_access(self.context.engine))


@pytest.fixture
def place(service: FastAPI, client: TestClient, database: RawConnection) -> Place:
    context = context_of_service(service)
    scopes = (Scope.READ, Scope.WRITE, Scope.AUDIT)
    key = add_client(context.writer, "example-desk", scopes, at=A_TUESDAY, expires_at=A_TUESDAY + A_DAY)
    add_client(context.writer, "another-desk", (Scope.SUBMIT,), at=A_TUESDAY)
    store_passkey(service, invited(service, JO), b"passkey of Jo")
    sign_in_as(service, client, JO, Role.READER)
    invited(service, "Sam Example", Role.LEAD)
    return Place(service, client, database, key, invited(service, "Lee Example"))


def test_everyone_let_in_comes_in_and_no_check_finds_a_fault(place: Place) -> None:
    assert (place.reads(place.key), place.opens_the_desk()) == (200, True)
    assert (place.takes_the_link(), place.knows_the_passkey()) == (True, True)
    assert place.faults() == []
    assert place.http.get("/health/ready").json()["warnings"] == {}


def put_in_a_key(place: Place) -> Callable[[], bool]:
    scopes = json.dumps([each.value for each in Scope])
    place.database.execute(
        "INSERT INTO clients (name, scopes, added_at, test, mac) VALUES ('case-system', ?, ?, FALSE, ?)",
        (scopes, THEN, b"m" * 32),
    )
    place.database.execute(
        "INSERT INTO client_keys (key_sha256, client, added_at, mac) VALUES (?, 'case-system', ?, ?)",
        (digest(INVENTED), THEN, b"m" * 32),
    )
    return lambda: place.reads(INVENTED) == 200


def put_in_a_key_of_a_client(place: Place) -> Callable[[], bool]:
    place.database.execute(
        "INSERT INTO client_keys (key_sha256, client, added_at, mac) SELECT ?, client, added_at, mac FROM client_keys "
        "WHERE client = 'example-desk'",
        (digest(INVENTED),),
    )
    return lambda: place.reads(INVENTED) == 200


def put_in_a_session(place: Place) -> Callable[[], bool]:
    place.database.execute(
        "INSERT INTO desk_sessions (token_sha256, person, client, started_at, confirmed_at, last_used_at, mac) "
        "SELECT ?, 'Sam Example', client, started_at, confirmed_at, last_used_at, mac FROM desk_sessions",
        (digest(INVENTED),),
    )
    place.http.cookies.set(SESSION_COOKIE, INVENTED)
    return place.opens_the_desk


def put_in_a_link(place: Place) -> Callable[[], bool]:
    place.database.execute(
        "INSERT INTO invitations (token_sha256, person, expires_at, mac) VALUES (?, 'Sam Example', '2027-01-01', ?)",
        (digest(INVENTED), b""),
    )
    invented = Place(place.service, place.http, place.database, place.key, INVENTED)
    return invented.takes_the_link


def altered(statement: str, comes_in: Callable[[Place], Callable[[], bool]]) -> Callable[[Place], Callable[[], bool]]:
    def do(place: Place) -> Callable[[], bool]:
        place.database.execute(statement)
        return comes_in(place)

    return do


def by_key(place: Place) -> Callable[[], bool]:
    return lambda: place.reads(place.key) == 200


def by_session(place: Place) -> Callable[[], bool]:
    return place.opens_the_desk


def by_link(place: Place) -> Callable[[], bool]:
    return place.takes_the_link


def by_passkey(place: Place) -> Callable[[], bool]:
    return place.knows_the_passkey


ATTACKS: dict[str, tuple[Callable[[Place], Callable[[], bool]], str]] = {
    "a client and a key": (put_in_a_key, "client_keys"),
    "a key for a client of ours": (put_in_a_key_of_a_client, "client_keys"),
    "a session": (put_in_a_session, "desk_sessions"),
    "a link": (put_in_a_link, "invitations"),
    "more scopes": (altered('UPDATE clients SET scopes = \'["audit:read", "concerns:read"]\'', by_key), "clients"),
    "another client's key": (altered("UPDATE client_keys SET client = 'another-desk'", by_key), "client_keys"),
    "another person for a client": (altered("UPDATE clients SET person = 'Sam Example'", by_key), "clients"),
    "a key that no longer ends": (altered("UPDATE client_keys SET expires_at = NULL", by_key), "client_keys"),
    "another role": (altered("UPDATE people SET role = 'lead'", by_session), "people"),
    "another person's session": (
        altered("UPDATE desk_sessions SET person = 'Sam Example'", by_session),
        "desk_sessions",
    ),
    "another way of signing in": (altered("UPDATE desk_sessions SET client = 'openid:x'", by_session), "desk_sessions"),
    "a session that began later": (
        altered("UPDATE desk_sessions SET started_at = '2026-11-24 20:00:00'", by_session),
        "desk_sessions",
    ),
    "another person's link": (altered("UPDATE invitations SET person = 'Sam Example'", by_link), "invitations"),
    "another public key": (altered("UPDATE passkeys SET public_key = credential_id", by_passkey), "passkeys"),
    "another person's passkey": (altered("UPDATE passkeys SET person = 'Sam Example'", by_passkey), "passkeys"),
}


@pytest.mark.parametrize(("attack", "table"), ATTACKS.values(), ids=ATTACKS)
def test_a_forged_row_lets_nobody_in_and_raises_an_alarm(
    place: Place, lines: Lines, attack: Callable[[Place], Callable[[], bool]], table: str
) -> None:
    comes_in = attack(place)

    assert not comes_in()
    refused = [each for each in lines() if each["event"] == "row_refused"]
    assert [(each["level"], each["reason"]) for each in refused] == [("error", table)]
    assert place.http.get("/health/ready").json()["warnings"]["access-rows"] == "refused"
    assert f'guidance_rows_refused_total{{table="{table}"}} 1.0' in place.http.get("/metrics").text
    assert any("no key of this machine signed it" in each for each in place.faults())


def test_no_act_of_ours_makes_a_row_count_that_somebody_else_wrote(place: Place) -> None:
    place.database.execute("UPDATE clients SET scopes = '[\"audit:read\"]' WHERE name = 'example-desk'")
    place.database.execute("UPDATE people SET role = 'lead' WHERE name = 'Jo Example'")
    writer = place.context.writer

    with pytest.raises(RowNotOurs):
        rotate_key(writer, name="example-desk", overlap=A_DAY, at=A_TUESDAY)
    with pytest.raises(RowNotOurs):
        invite(writer, JO, role=Role.READER, expires_at=A_TUESDAY + A_DAY, at=A_TUESDAY)

    assert place.reads(place.key) == 401
    assert not place.opens_the_desk()


def test_a_forged_key_or_role_is_revoked_and_the_person_invited_again(place: Place) -> None:
    put_in_a_key(place)
    place.database.execute("UPDATE people SET role = 'lead' WHERE name = 'Jo Example'")
    writer = place.context.writer

    writer.run(revoke_client, "case-system", at=A_TUESDAY)
    writer.run(remove_person_access, JO, at=A_TUESDAY)
    sign_in_as(place.service, place.http, JO, Role.WORKER)

    assert place.opens_the_desk()
    assert place.reads(INVENTED) == 401
    assert [each for each in place.faults() if "Jo" in each] == []


def row(database: RawConnection, table: str, where: str) -> dict[str, Any]:
    found = database.execute(f"SELECT * FROM {table} WHERE {where}")  # noqa: S608  # own names
    return dict(zip([each[0] for each in found.description], found.fetchone(), strict=True))


def put_back(database: RawConnection, table: str, columns: dict[str, Any]) -> None:
    """Make the row what it was, whether or not it is still there."""
    (key,) = SQLModel.metadata.tables[table].primary_key.columns.keys()
    assigned = ", ".join(f"{name} = ?" for name in columns)
    values = tuple(json.dumps(value) if isinstance(value, list) else value for value in columns.values())
    if database.execute(f"UPDATE {table} SET {assigned} WHERE {key} = ?", (*values, columns[key])).rowcount:  # noqa: S608  # own names
        return
    database.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",  # noqa: S608  # own names
        values,
    )


def test_an_older_row_that_is_put_back_is_found_by_the_record(place: Place) -> None:
    database, writer = place.database, place.context.writer
    session = row(database, "desk_sessions", "person = 'Jo Example'")
    client = row(database, "clients", "name = 'example-desk'")
    place.http.post("/desk/sign-out", headers=OWN_PAGE)
    writer.run(revoke_client, "example-desk", at=A_TUESDAY)
    assert place.faults() == []

    put_back(database, "desk_sessions", session)
    database.execute("UPDATE clients SET revoked_at = NULL, mac = ? WHERE name = 'example-desk'", (client["mac"],))

    assert place.faults() == [
        "a session of Jo Example: it is not as the record of people says, and it lets nobody in; "
        "run guidance desk leave 'Jo Example', and let the person in again",
        "client example-desk: it is not as the record of people says, and it lets nobody in; "
        "run guidance clients revoke example-desk, and give the system a client of another name",
    ]


@pytest.mark.parametrize(
    ("table", "where", "fault"),
    [
        ("client_keys", "client = 'another-desk'", "a key of client another-desk"),
        ("invitations", "person = 'Lee Example'", "an invitation of Lee Example"),
        ("passkeys", "person = 'Jo Example'", "a passkey of Jo Example"),
    ],
)
def test_a_row_that_is_taken_out_is_found_by_the_record(place: Place, table: str, where: str, fault: str) -> None:
    place.database.execute(f"DELETE FROM {table} WHERE {where}")  # noqa: S608  # own names

    assert place.faults() == [f"{fault}: it is on record, and its row is gone"]


def test_the_record_reveals_a_deleted_person_and_a_deleted_client(place: Place) -> None:
    for table, where in (
        ("invitations", "person = 'Lee Example'"),
        ("people", "name = 'Lee Example'"),
        ("client_keys", "client = 'another-desk'"),
        ("clients", "name = 'another-desk'"),
    ):
        place.database.execute(f"DELETE FROM {table} WHERE {where}")  # noqa: S608  # own names

    gone = {each.partition(":")[0] for each in place.faults()}
    assert {"person Lee Example", "client another-desk"} <= gone


@dataclass(frozen=True)
class Ended:
    """Something that let somebody in, and how it was ended; its rows from before are then put back."""

    comes_in: Callable[[Place], Callable[[], bool]]
    rows: tuple[tuple[str, str], ...]
    """The table of each, and the condition that finds it."""
    end: Callable[[Place], object]
    remedy: Callable[[Place], object]
    """What an operator does about it."""


def revoke(place: Place) -> None:
    place.context.writer.run(revoke_client, "example-desk", at=A_TUESDAY)


def let_jo_leave(place: Place) -> None:
    place.context.writer.run(remove_person_access, JO, at=A_TUESDAY)


def change_the_key(place: Place) -> None:
    rotate_key(place.context.writer, name="example-desk", overlap=dt.timedelta(0), at=A_TUESDAY)


def make_jo_an_auditor(place: Place) -> None:
    invite(place.context.writer, JO, role=Role.AUDITOR, expires_at=A_TUESDAY + A_DAY, at=A_TUESDAY)


def invite_jo_anew(place: Place) -> None:
    let_jo_leave(place)
    make_jo_an_auditor(place)


def use_the_link(place: Place) -> None:
    store_passkey(place.service, place.link, b"passkey of Lee")


CLIENT = ("clients", "name = 'example-desk'")
KEY = ("client_keys", "client = 'example-desk'")
SESSION = ("desk_sessions", "person = 'Jo Example'")
PERSON = ("people", "name = 'Jo Example'")
PASSKEY = ("passkeys", "person = 'Jo Example'")
LINK = ("invitations", "person = 'Lee Example'")
ENDED: dict[str, Ended] = {
    "a client that was revoked": Ended(by_key, (CLIENT,), revoke, revoke),
    "a client that was revoked, and its key": Ended(by_key, (CLIENT, KEY), revoke, revoke),
    "a key that was changed": Ended(by_key, (KEY,), change_the_key, revoke),
    "a session that was ended": Ended(
        by_session, (SESSION,), lambda place: place.http.post("/desk/sign-out", headers=OWN_PAGE), let_jo_leave
    ),
    "every session of a person": Ended(
        by_session,
        (SESSION,),
        lambda place: place.context.writer.run(end_sessions, JO, actor=Actor(f"{BY_PASSKEY}/{JO}", ADDRESS, A_TUESDAY)),
        let_jo_leave,
    ),
    "a role that was changed": Ended(by_session, (PERSON,), make_jo_an_auditor, let_jo_leave),
    "a person who left, with all of theirs": Ended(by_session, (PERSON, SESSION, PASSKEY), let_jo_leave, let_jo_leave),
    "a passkey of a person who left": Ended(by_passkey, (PERSON, PASSKEY), let_jo_leave, let_jo_leave),
    "a passkey of a person who came back": Ended(by_passkey, (PASSKEY,), invite_jo_anew, let_jo_leave),
    "a link that was used": Ended(
        by_link,
        (LINK,),
        use_the_link,
        lambda place: place.context.writer.run(remove_person_access, "Lee Example", at=A_TUESDAY),
    ),
}


@pytest.mark.parametrize("ended", ENDED.values(), ids=ENDED)
def test_what_was_ended_and_is_put_back_opens_nothing_anywhere(place: Place, lines: Lines, ended: Ended) -> None:
    comes_in = ended.comes_in(place)
    came_in, before = comes_in(), [(table, row(place.database, table, where)) for table, where in ended.rows]
    cookie = place.http.cookies.get(SESSION_COOKIE)
    ended.end(place)
    for table, columns in before:
        put_back(place.database, table, columns)
    place.http.cookies.set(SESSION_COOKIE, cookie or "")
    with restarted(place.context.settings) as http:
        http.cookies.set(SESSION_COOKIE, cookie or "")
        elsewhere = ended.comes_in(Place(http.app, http, place.database, place.key, place.link))  # type: ignore[arg-type]
        came_in_later = (comes_in(), elsewhere(), comes_in())
    place.context.invariants.check_due(lambda: None)
    warnings = place.http.get("/health/ready").json()["warnings"]
    ended.remedy(place)

    assert (came_in, came_in_later) == (True, (False, False, False))
    assert {each["event"] for each in lines()} >= {"row_refused", "invariant_broken"}
    assert (warnings["access-rows"], warnings["access"]) == ("refused", "broken")
    assert place.faults() == []


def test_a_provider_s_word_sets_a_role_right_that_was_put_back(place: Place) -> None:
    writer, pat = place.context.writer, Actor("openid:desk/Pat", ADDRESS, A_TUESDAY)
    provider = {"provider": "https://id.example", "subject": "pat"}
    writer.run(sign_in_person, "Pat", role=Role.LEAD, **provider, actor=pat)
    before = row(place.database, "people", "name = 'Pat'")
    writer.run(sign_in_person, "Pat", role=Role.READER, **provider, actor=pat)
    put_back(place.database, "people", before)

    writer.run(sign_in_person, "Pat", role=Role.LEAD, **provider, actor=pat)

    assert place.faults() == []


def test_a_person_who_left_comes_back_by_no_deleted_row(place: Place) -> None:
    writer, pat = place.context.writer, Actor("openid:desk/Pat", ADDRESS, A_TUESDAY)
    provider = {"provider": "https://id.example", "subject": "pat"}
    writer.run(sign_in_person, "Pat", role=Role.LEAD, **provider, actor=pat)
    writer.run(remove_person_access, "Pat", at=A_TUESDAY)
    place.database.execute("DELETE FROM people WHERE name = 'Pat'")

    assert writer.run(sign_in_person, "Pat", role=Role.LEAD, **provider, actor=pat) is None
    assert place.faults() == ["person Pat: it is on record, and its row is gone"]


def test_a_person_who_left_and_came_back_twice_opens_the_desk(place: Place) -> None:
    for _ in range(2):
        let_jo_leave(place)
        sign_in_as(place.service, place.http, JO, Role.WORKER)

        assert place.opens_the_desk()
    assert place.faults() == []


def test_a_clock_set_wrong_for_a_while_shuts_nobody_out(place: Place, clock: SettableClock) -> None:
    for days in (400, -400):
        clock.time += dt.timedelta(days=days)
        sign_in_as(place.service, place.http, JO, Role.WORKER)

        assert place.opens_the_desk()


def test_the_access_record_follows_a_backup_restored_under_a_running_service(place: Place) -> None:
    record = AccessRecord()
    revoke(place)
    with Session(place.context.engine) as session:
        today = record.as_of(session)
    drop_triggers(place.database)
    place.database.execute(
        "DELETE FROM audit_entries WHERE chain = 'people' AND number = (SELECT max(number) FROM audit_entries "
        "WHERE chain = 'people')"
    )
    with Session(place.context.engine) as session:
        yesterday = record.as_of(session)

    assert today.revoked == {"example-desk"}
    assert yesterday.revoked == set()
    assert "example-desk" in yesterday.clients


def test_rows_that_are_restored_without_the_record_open_what_did_not_change(place: Place) -> None:
    saved = [(table, row(place.database, table, where)) for table, where in (CLIENT, KEY, PERSON)]
    make_jo_an_auditor(place)
    for table, columns in saved:
        put_back(place.database, table, columns)

    assert place.reads(place.key) == 200
    assert not place.opens_the_desk()


def test_a_request_sees_rows_and_record_of_one_moment(place: Place) -> None:
    record = AccessRecord()
    with Session(place.context.engine) as earlier, Session(place.context.engine) as later:
        earlier.get(ClientRow, "example-desk")
        revoke(place)

        assert record.as_of(later).revoked == {"example-desk"}
        assert record.as_of(earlier).revoked == set()


def test_what_a_writer_takes_back_is_not_kept_as_recorded(place: Place) -> None:
    record = AccessRecord()

    def write(session: Session) -> None:
        record_person(session, DeskAct.CLIENT_REVOKED, by_operator(A_TUESDAY), ClientDetails(client="example-desk"))
        assert record.as_of(session).revoked == {"example-desk"}
        raise NoSuchClient

    with pytest.raises(NoSuchClient):
        place.context.writer.run(write)

    with Session(place.context.engine) as session:
        assert record.as_of(session).revoked == set()


def test_a_use_of_a_row_reads_only_the_new_acts(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    record, applied = AccessRecord(), []
    with Session(place.context.engine) as session:
        record.as_of(session)
    revoke(place)
    monkeypatch.setattr(RecordedAccess, "apply", lambda _recorded, act: applied.append(act.act))
    for _ in range(2):
        with Session(place.context.engine) as session:
            record.as_of(session)

    assert applied == ["client_revoked"]


def test_every_key_of_a_client_is_on_the_record_with_its_end(place: Place) -> None:
    writer = place.context.writer
    for day in range(3):
        rotate_key(writer, name="example-desk", overlap=A_DAY / 2, at=A_TUESDAY + day * A_DAY / 4)
    add_client(writer, "desk-of-ann", (Scope.READ, Scope.WRITE), "Ann Example", at=A_TUESDAY)
    add_client(writer, "sandbox", (Scope.SUBMIT,), test=True, at=A_TUESDAY)
    writer.run(remove_person_access, "Ann Example", at=A_TUESDAY)

    assert place.faults() == []
    older = row(place.database, "client_keys", "client = 'example-desk' AND expires_at IS NOT NULL")
    assert older["mac"] != b""


def test_an_unreadable_row_is_a_fault_and_stops_no_other_client(place: Place) -> None:
    if on_postgresql():
        pytest.skip("PostgreSQL stores in a column only what its type allows")
    place.database.execute("UPDATE invitations SET expires_at = 'whenever' WHERE person = 'Lee Example'")

    assert place.faults() == ["invitations: it has a row that cannot be read"]
    assert place.reads(place.key) == 200


def test_readiness_verify_and_the_doctor_find_a_forged_key(place: Place) -> None:
    put_in_a_key(place)

    place.context.invariants.check_due(lambda: None)

    assert place.http.get("/health/ready").json()["warnings"]["access"] == "broken"
    assert 'guidance_invariant_broken{invariant="access"} 1.0' in place.http.get("/metrics").text
    data_dir = str(place.context.settings.data_dir)
    verified = CliRunner().invoke(app, ["verify", "--data-dir", data_dir])
    examined = CliRunner().invoke(app, ["doctor", "--quick", "--data-dir", data_dir])
    assert verified.exit_code == 1
    assert "client case-system: no key of this machine signed it" in verified.stdout
    assert "client case-system: no key of this machine signed it" in examined.stdout


def test_every_access_table_has_a_mac_over_every_column_that_matters() -> None:
    assert set(ACCESS_ROWS) == set(AccessRow.__subclasses__())
    unsigned = {str(each.__tablename__): each.unsigned - {"mac"} for each in ACCESS_ROWS}
    assert {name: columns for name, columns in unsigned.items() if columns} == {"client_keys": {"last_used_at"}}


def rotate(settings: Settings, *options: str) -> Any:
    return CliRunner().invoke(app, ["keys", "rotate-access", "--data-dir", str(settings.data_dir), *options])


def test_the_key_is_changed_while_everybody_works_on(place: Place) -> None:
    settings = place.context.settings
    former = (settings.data_dir / ACCESS_KEY).read_bytes()

    assert rotate(settings).exit_code == 0
    assert (place.reads(place.key), place.opens_the_desk()) == (200, True)
    place.database.execute("UPDATE clients SET revoked_at = NULL WHERE name = 'another-desk'")
    assert rotate(settings, "--finish").exit_code == 0

    path = settings.data_dir / ACCESS_KEY
    assert (place.reads(place.key), place.opens_the_desk()) == (200, True)
    assert former.splitlines()[1] not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    assert place.faults() == []


def test_rotating_the_key_names_an_unsigned_row_and_leaves_it_unchanged(place: Place) -> None:
    put_in_a_key(place)

    ended = rotate(place.context.settings)

    assert ended.exit_code == 1
    assert "client case-system: not signed by any key; left unchanged" in ended.stderr
    assert place.reads(INVENTED) == 401


def restarted(settings: Settings) -> TestClient:
    return TestClient(create_app(settings, SettableClock()))


def test_a_service_that_lost_its_key_starts_only_after_a_new_one(place: Place, tmp_path: Path) -> None:
    settings = place.context.settings
    path, lost = settings.data_dir / ACCESS_KEY, tmp_path / "lost.txt"
    path.rename(lost)

    with pytest.raises(SetupError, match=r"access-key.txt is not there"), restarted(settings):
        pass
    assert not path.exists()
    added = CliRunner().invoke(
        app, ["clients", "add", "x", "--scope", "events:read", "--data-dir", str(settings.data_dir)]
    )
    assert "access-key.txt is not there" in str(added.exception)

    assert rotate(settings, "--accept").exit_code == 0
    with restarted(settings) as http:
        assert http.get("/v1/desk/summary", headers={"Authorization": f"Bearer {place.key}"}).status_code == 200
    lost.rename(path)
    with pytest.raises(SetupError, match=r"no key of .* signed any client or person"), restarted(settings):
        pass


def test_rows_are_not_signed_again_without_any_key(place: Place) -> None:
    settings = place.context.settings
    (settings.data_dir / ACCESS_KEY).unlink()

    refused = rotate(settings, "--finish", "--accept")

    assert isinstance(refused.exception, SetupError)
    assert "access-key.txt is not there: its key signed the clients and people" in str(refused.exception)
    assert not (settings.data_dir / ACCESS_KEY).exists()


def test_a_key_that_is_configured_and_absent_stops_the_start(settings: Settings, tmp_path: Path) -> None:
    configured = settings.model_copy(update={"access_key_file": tmp_path / "access.txt"})

    with pytest.raises(SetupError, match=r"access.txt has no key \(guidance keys rotate-access makes one\)"):
        restarted(configured).__enter__()


def test_nodes_share_one_key_file_and_one_with_another_does_not_start(place: Place, tmp_path: Path) -> None:
    settings = place.context.settings

    with restarted(settings) as other:
        assert other.get("/v1/desk/summary", headers={"Authorization": f"Bearer {place.key}"}).status_code == 200
    assert CliRunner().invoke(app, ["keys", "rotate-access", "--data-dir", str(tmp_path / "elsewhere")]).exit_code == 0
    own = settings.model_copy(update={"access_key_file": tmp_path / "elsewhere" / ACCESS_KEY})
    with pytest.raises(SetupError, match="no key of"), restarted(own):
        pass


def test_nodes_outside_a_trial_need_the_key_before_anybody_is_let_in(settings: Settings, tmp_path: Path) -> None:
    engine = open_database(tmp_path / "other")
    shared = {"seal_to": ("age1x",), "database_url": SecretStr("postgresql://x")}
    made = {"seal_to": (), "database_url": None, "access_key_file": tmp_path / "key.txt"}

    def may_be_made(**update: Any) -> bool:
        return open_access_keys(settings.model_copy(update=update), engine).may_be_made

    assert not may_be_made(**shared)
    assert may_be_made(**shared | {"seal_to": ()})
    assert may_be_made(**shared | {"database_url": None})
    assert not may_be_made(**made)
    open_access_keys(settings.model_copy(update=shared), engine)
    migrate_schema(engine, None)
    with pytest.raises(SetupError, match="set GUIDANCE_ACCESS_KEY_FILE, to the same file on every node"):
        require_access_keys(engine, is_used=True)
    require_access_keys(engine, is_used=False)
    writer = Writer(engine, queue_size=1, wait_seconds=30)
    writer.start()
    with pytest.raises(SetupError, match="set GUIDANCE_ACCESS_KEY_FILE"):
        add_client(writer, "example-desk", (Scope.READ,), at=A_TUESDAY)
    writer.stop()


@pytest.mark.slow
def test_a_row_forged_in_the_database_of_a_running_service_opens_nothing(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server:
        key = server.new_key(Scope.READ)
        with server.client() as http:

            def status() -> int:
                return http.get("/v1/desk/summary", headers={"Authorization": f"Bearer {key}"}).status_code

            before = status()
            with raw_connection(tmp_path / "data") as database:
                database.execute('UPDATE clients SET scopes = \'["concerns:read", "audit:read"]\'')
            after = status()
        log = server.log.read_text()

    assert (before, after) == (200, 401)
    assert '"event":"row_refused"' in log
