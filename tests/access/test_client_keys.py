"""Keys of clients: they end, they overlap while a client changes over, and it is known when each was last used."""

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session
from starlette.testclient import TestClient
from typer import BadParameter

from app.cli.access.clients import line_of_client
from app.cli.options import parse_end
from app.config import Settings
from app.errors import NoSuchClient, SetupError, StoreBusy
from app.http.context import AppContext
from app.main import create_app
from app.models.access.clients import Scope
from app.models.access.roles import Role
from app.services.access import row_signing
from app.services.access.clients import (
    ACCURACY,
    KeyUses,
    add_client,
    list_clients,
    revoke_client,
    rotate_key,
)
from app.services.access.people import invite, list_people
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.command import guidance
from tests.support.live import LiveServer
from tests.support.log_lines import Lines
from tests.support.loops import for_each

pytestmark = pytest.mark.slow

A_DAY = dt.timedelta(days=1)
LATER = A_TUESDAY + A_DAY
INBOX = "/v1/desk/concerns"


def add(
    context: AppContext,
    name: str = "example-desk",
    *,
    person: str | None = None,
    expires_at: dt.datetime | None = None,
) -> str:
    """Add a client that may do everything, and return its key."""
    return add_client(context.writer, name, Scope, person, at=A_TUESDAY, expires_at=expires_at)


def opens(client: TestClient, key: str) -> int:
    return client.get(INBOX, headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_expires_at_its_end_and_answers_like_an_unknown_key(
    client: TestClient, context: AppContext, clock: SettableClock, lines: Lines
) -> None:
    key = add(context, expires_at=A_TUESDAY + A_DAY)
    statuses = []
    for moment in (A_TUESDAY, A_TUESDAY + A_DAY - dt.timedelta(microseconds=1), A_TUESDAY + A_DAY):
        clock.time = moment
        statuses.append(opens(client, key))
    lines()

    ended, unknown = (
        client.get(INBOX, headers={"Authorization": f"Bearer {token}"}) for token in (key, "omg_invented")
    )

    assert statuses == [200, 200, 401]
    assert ended.json() | {"instance": ""} == unknown.json() | {"instance": ""}
    assert [line["reason"] for line in lines() if line["event"] == "token_refused"] == [
        "the key has ended",
        "no client has that key",
    ]


def test_both_keys_of_a_rotation_work_until_the_older_one_expires(
    client: TestClient, context: AppContext, clock: SettableClock
) -> None:
    older = add(context)
    newer, ends = rotate_key(context.writer, name="example-desk", overlap=7 * A_DAY, at=A_TUESDAY)
    both = [opens(client, key) for key in (older, newer)]
    clock.time = A_TUESDAY + 7 * A_DAY
    later = [opens(client, key) for key in (older, newer)]

    assert ends is None
    assert (both, later) == ([200, 200], [401, 200])


def test_a_rotation_prolongs_no_key_and_a_second_one_ends_none_sooner(
    client: TestClient, context: AppContext, clock: SettableClock
) -> None:
    first = add(context, expires_at=A_TUESDAY + 2 * A_DAY)
    second, ends = rotate_key(context.writer, name="example-desk", overlap=7 * A_DAY, at=A_TUESDAY + A_DAY)
    third, _ = rotate_key(context.writer, name="example-desk", overlap=7 * A_DAY, at=A_TUESDAY + A_DAY * 1.5)

    def statuses(days: float) -> list[int]:
        clock.time = A_TUESDAY + A_DAY * days
        return [opens(client, key) for key in (first, second, third)]

    assert ends == A_TUESDAY + 3 * A_DAY, "the new key is valid for as long as the older one was to be"
    assert statuses(1.9) == [200, 200, 200]
    assert statuses(2) == [401, 200, 200]
    assert statuses(3) == [401, 401, 200]


def test_without_an_overlap_the_older_key_ends_at_once(client: TestClient, context: AppContext) -> None:
    older = add(context)
    newer, _ = rotate_key(context.writer, name="example-desk", overlap=dt.timedelta(0), at=A_TUESDAY)

    assert [opens(client, key) for key in (older, newer)] == [401, 200]


def test_a_key_is_verified_again_once_any_column_or_the_audit_log_changes(
    client: TestClient, context: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = add(context)
    verified: list[bytes] = []
    mac = row_signing._mac

    def noted(secret: bytes, signed: bytes) -> bytes:
        verified.append(signed)
        return mac(secret, signed)

    monkeypatch.setattr(row_signing, "_mac", noted)

    def after(change: Callable[[], object]) -> tuple[int, int]:
        change()
        verified.clear()
        return opens(client, key), len(verified)

    def widen() -> None:
        statement = text("UPDATE clients SET person = 'Jo Example'")
        context.writer.run(lambda session: session.connection().execute(statement))

    first, again = after(lambda: None), after(lambda: None)
    after_another, by_another_program = after(lambda: add(context, "example-board")), after(widen)

    assert (first[0], again, after_another[0]) == (200, (200, 0), 200)
    assert (first[1] > 0, by_another_program[0], by_another_program[1] > 0) == (True, 401, True)


def test_a_revoked_client_gets_no_key_and_loses_all_its_keys(client: TestClient, context: AppContext) -> None:
    older = add(context)
    newer, _ = rotate_key(context.writer, name="example-desk", overlap=A_DAY, at=A_TUESDAY)
    context.writer.run(revoke_client, "example-desk", at=A_TUESDAY)

    with pytest.raises(NoSuchClient):
        rotate_key(context.writer, name="example-desk", overlap=A_DAY, at=A_TUESDAY)

    assert [opens(client, key) for key in (older, newer)] == [401, 401]


def test_every_node_refuses_a_key_at_once_after_one_node_ended_it(
    settings: Settings, client: TestClient, context: AppContext
) -> None:
    with TestClient(create_app(settings, SettableClock())) as other:
        key = add(context)
        before = [opens(node, key) for node in (client, other)]
        rotate_key(context.writer, name="example-desk", overlap=dt.timedelta(0), at=A_TUESDAY)

        assert before == [200, 200]
        assert [opens(node, key) for node in (client, other)] == [401, 401]


def last_use(context: AppContext) -> str | None:
    """Return when the client's keys were last used, as the command says it."""
    told: list[dict[str, str | None]] = json.loads(
        guidance("clients", "list", "--json", "--data-dir", context.settings.data_dir).stdout
    )
    return told[0]["last_used_at"]


def writes_in(context: AppContext, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return a list that grows by one for every write."""
    written: list[object] = []
    run = context.writer.run

    def run_and_count(operation: Any, **values: Any) -> Any:
        written.append(operation)
        return run(operation, **values)

    monkeypatch.setattr(context.writer, "run", run_and_count)
    return written


def line_in_list(context: AppContext) -> str:
    """The line of the only client in the list that operators read."""
    with Session(context.engine) as session:
        ((client, keys),) = list_clients(session)
        return line_of_client(client, keys, at=context.clock())


@pytest.mark.slow
def test_a_key_s_last_use_is_written_at_most_every_five_minutes(
    client: TestClient, context: AppContext, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = add_client(context.writer, name="example-app", scopes=[Scope.EVENTS], at=A_TUESDAY)
    written = writes_in(context, monkeypatch)

    def use(after: dt.timedelta) -> str | None:
        clock.time = A_TUESDAY + after
        for _ in range(3):
            assert client.get("/v1/events", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        context.authenticator.key_uses.store(context.writer)
        return last_use(context)

    found = [use(after) for after in (dt.timedelta(0), ACCURACY - dt.timedelta(seconds=1), ACCURACY)]

    assert found == ["2026-11-24T09:30:00Z", "2026-11-24T09:30:00Z", "2026-11-24T09:35:00Z"]
    assert "last used 2026-11-24 09:35 UTC" in line_in_list(context)
    assert len(written) == 2


def test_an_unwritten_use_of_a_key_delays_no_read_and_follows_later(
    client: TestClient, context: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = add_client(context.writer, name="example-app", scopes=[Scope.EVENTS], at=A_TUESDAY)

    def refuse(_: object, **_values: object) -> None:
        raise StoreBusy

    with monkeypatch.context() as patch:
        patch.setattr(context.writer, "run", refuse)
        statuses = [client.get("/v1/events", headers={"Authorization": f"Bearer {key}"}).status_code]
        context.authenticator.key_uses.store(context.writer)

    written = writes_in(context, monkeypatch)
    context.authenticator.key_uses.store(context.writer)
    context.authenticator.key_uses.store(context.writer)

    assert statuses == [200]
    assert len(written) == 1


def test_an_earlier_use_never_replaces_a_later_one(context: AppContext, client: TestClient) -> None:
    key = add(context)
    for days in (2, 1):
        uses = KeyUses()
        found = context.authenticator.authenticate(key, at=A_TUESDAY)
        assert found.name == "example-desk"
        (sha256,) = context.authenticator.key_uses._noted
        uses.note(sha256, last_used_at=None, at=A_TUESDAY + days * A_DAY)
        uses.store(context.writer)

    assert client is not None
    assert last_use(context) == "2026-11-26T09:30:00Z"


@pytest.mark.parametrize("name", ["Sam\0", "Sam\nExample", "", " Sam", "S" * 97, "Sam\u202e"])
def test_a_person_with_a_name_unfit_for_the_record_is_refused(
    context: AppContext, client: TestClient, name: str
) -> None:
    with pytest.raises(SetupError, match="a person's name is 1 to 96 characters that print"):
        add(context, person=name)

    assert opens(client, add(context, person="Sam Example")) == 200


def test_the_record_shows_the_person_that_has_the_key(client: TestClient, context: AppContext) -> None:
    opens(client, add(context, person="Sam Example"))
    key, _ = rotate_key(context.writer, name="example-desk", overlap=A_DAY, at=A_TUESDAY)
    opens(client, key)

    answer = client.get(
        "/v1/desk/disclosures", params={"client": "example-desk"}, headers={"Authorization": f"Bearer {key}"}
    )

    assert [row["client"] for row in answer.json()["disclosures"]] == ["example-desk/Sam Example"] * 2


NOW = dt.datetime(2027, 3, 1, 12, tzinfo=dt.UTC)


@for_each(
    ("text", "end"),
    [
        ("2027-03-01", "2027-03-02T00:00:00+00:00"),
        ("2027-03-31", "2027-03-31T23:00:00+00:00"),
        ("90d", "2027-05-30T12:00:00+00:00"),
        ("12h", "2027-03-02T00:00:00+00:00"),
    ],
)
def test_an_end_is_a_day_s_end_in_london_or_a_duration(text: str, end: str) -> None:
    assert parse_end(text, NOW).isoformat() == end


@for_each(
    "text",
    [
        "2027-02-28",
        "0d",
        "9999d",
        "9999-12-31",
        "2027-13-01",
        "20270331",
        "2027-W13-1",
        "90",
        "-1d",
        "1.5d",
        "90 d",
        "٣d",
        "",
    ],
)
def test_an_end_that_is_past_unclear_or_too_far_away_is_refused(text: str) -> None:
    with pytest.raises(BadParameter):
        parse_end(text, NOW)


@pytest.mark.slow
def test_keys_are_given_changed_and_listed_by_command_beside_a_running_service(live: LiveServer) -> None:
    def run(*words: str) -> tuple[str, str]:
        finished = guidance("clients", *words, "--data-dir", live.data_dir)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout, finished.stderr

    def status(key: str) -> int:
        with live.client() as client:
            return client.get("/v1/events", headers={"Authorization": f"Bearer {key.strip()}"}).status_code

    first, _ = run("add", "example-app", "--scope", "events:read", "--expires", "90d", "--person", "Sam Example")
    second, said = run("rotate", "example-app", "--overlap", "12h")
    both = [status(first), status(second)]
    third, _ = run("rotate", "example-app", "--overlap", "0d")
    (listed,) = json.loads(run("list", "--json")[0])

    assert both == [200, 200]
    assert [status(first), status(second), status(third)] == [401, 401, 200]
    assert re.fullmatch(
        r"example-app: old keys expire at \S+ \S+ UTC at the latest\nexample-app: the new key expires at \S+ \S+ UTC\n",
        said,
    )
    assert (listed["state"], listed["person"], listed["scopes"]) == ("active", "Sam Example", ["events:read"])
    assert [key["state"] for key in listed["keys"]] == ["ended", "ended", "active"]
    assert "key_sha256" not in str(listed)
    assert re.fullmatch(
        r"example-app\tactive\tevents:read\t(never used|last used [^\t]+ UTC)\tends [^\t]+ UTC\tSam Example\n",
        run("list")[0],
    )


@for_each(
    "name",
    [
        "Robin Example",
        "Zoë Example",
        "Nguyễn Thị Ví Dụ",
        "O'Brien-Example",
        "O’Brien",
        "Kaʻiulani Example",
        "Łukasz Żółć",
        "Иван Пример",
        "Μαρία Παράδειγμα",
        "مثال محمد",
        "उदाहरण कुमार",
        "佐々木 さくら",
        "サンプル 花子",
        "김 예시",
        "J. R. Example (night team)",
        "robin@council.example",
        "An Operator of the Night",
    ],
)
def test_a_person_of_any_one_script_is_taken(context: AppContext, name: str) -> None:
    assert invite(context.writer, name, role=Role.WORKER, expires_at=LATER, at=context.clock())


@for_each(
    ("name", "reason"),
    [
        ("Jо Example", "is in one script, not in several (Cyrillic, Latin)"),
        ("Αlex Example", "is in one script, not in several (Greek, Latin)"),
        ("operator", "names this service itself"),
        ("Retention", "names this service itself"),
        ("key-holder", "names this service itself"),
        ("passkey/Jo", "the audit log separates names with them"),
        ("passkey:desk", "names this service itself"),
        ("Lee <b>", "the audit log separates names with them"),
        ("Jo as lead; link 0123", "the audit log separates names with them"),
        ("𝐉𝐨 Example", "has no letters that are other letters in another form"),
        ("Ｊｏ Example", "has no letters that are other letters in another form"),
    ],
)
def test_a_name_that_looks_like_another_is_refused(context: AppContext, name: str, reason: str) -> None:
    with pytest.raises(SetupError) as of_person:
        invite(context.writer, name, role=Role.WORKER, expires_at=LATER, at=context.clock())
    with pytest.raises(SetupError) as of_client:
        add_client(context.writer, "a-client", [Scope.READ], person=name, at=context.clock())

    assert reason in str(of_person.value)
    assert reason in str(of_client.value)


@for_each("name", ["operator", "retention", "key-holder"])
def test_no_client_has_a_name_of_the_service_s_own(context: AppContext, name: str) -> None:
    with pytest.raises(SetupError, match="names this service itself"):
        add_client(context.writer, name, [Scope.READ], at=context.clock())


def test_a_name_has_one_spelling(context: AppContext) -> None:
    invite(context.writer, "Zoe\u0308 Example", role=Role.WORKER, expires_at=LATER, at=context.clock())

    with Session(context.engine) as session:
        assert [each.name for each in list_people(session)] == ["Zoë Example"]


def test_a_person_whose_name_was_taken_before_keeps_it(context: AppContext, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr("app.services.access.people.check_new_person", lambda name: name)
        invite(context.writer, "passkey/Jo", role=Role.WORKER, expires_at=LATER, at=context.clock())

    assert invite(context.writer, "passkey/Jo", role=Role.READER, expires_at=LATER, at=context.clock())
