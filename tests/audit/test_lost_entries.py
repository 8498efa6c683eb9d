"""A database that lost its last entries: noticed from a file beside it, recorded, and told to those who wrote then."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import Settings
from app.db.database import DATABASE_FILE
from app.errors import StoreBusy
from app.http.context import AppContext
from app.main import create_app
from app.models.concerns.status_tokens import new_status_token
from app.models.references import new_reference
from app.pages.languages import BY_PREFIX, read_catalogue
from app.services.audit import lost_entries
from app.services.audit.lost_entries import KNOWN_END_FILE, TOLD_FOR, LostEntries, list_losses, read_known_ends
from app.services.operations.verification import find_all_faults
from app.services.operations.watches import MeasurementContext, Reading, measure_lost_entries
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.command import guidance
from tests.support.concerns import raise_at, raise_concern, token_of
from tests.support.databases import copy_database, raw_connection
from tests.support.desk import desk_of
from tests.support.live import LiveServer
from tests.support.log_lines import Lines
from tests.support.prepared import copy_prepared
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

HOUR = dt.timedelta(hours=1)
UNKNOWN = new_reference()
SENTENCE = "If you wrote to us between Tuesday 24 November 2026 at 10:30 and Tuesday 24 November 2026 at 14:31, please"
OF_THE_API = "If you wrote to us between 2026-11-24T10:30:00Z and 2026-11-24T14:31:00Z, send it again."


@dataclass
class Loss:
    """A data folder whose database was put back to 10:30; the file beside it knows of entries until 12:30."""

    folder: Path
    kept: dict[str, Any]
    lost: dict[str, Any]
    clock: SettableClock

    def service(self) -> FastAPI:
        """A service on the folder, at 14:30."""
        return create_app(Settings(data_dir=self.folder, deliver=False), self.clock)


@pytest.fixture
def loss(tmp_path: Path) -> Loss:
    folder, early, clock = tmp_path / "newer", tmp_path / "data", SettableClock()
    copy_prepared(folder)
    receipts = []
    for name in (early, tmp_path / "thrown-away"):
        clock.time += HOUR
        with TestClient(create_app(Settings(data_dir=folder, deliver=False), clock)) as client:
            receipts.append(raise_concern(client))
        clock.time += HOUR
        copy_database(folder, name)
    shutil.copy(folder / KNOWN_END_FILE, early / KNOWN_END_FILE)
    clock.time = A_TUESDAY + 5 * HOUR
    kept, lost = receipts
    return Loss(early, kept, lost, clock)


def losses_of(context: AppContext) -> list[str]:
    with Session(context.engine) as session:
        return [str(each) for each in list_losses(session, at=context.clock())]


def reading_of(context: AppContext) -> Reading:
    taken = measure_lost_entries(MeasurementContext(context.settings, context.engine, context.clock()))
    assert isinstance(taken, Reading)
    return taken


def test_a_database_put_back_is_noticed_at_the_start_and_recorded(loss: Loss, lines: Lines) -> None:
    service = loss.service()
    with TestClient(service) as client:
        context: AppContext = service.state.context
        found = losses_of(context)
        context.watcher.look(lambda: None)
        ready = client.get("/health/ready")
        faults = list(find_all_faults(context.engine))

    assert found == [
        "the database ends before what was known: at least 1 action is missing, "
        "from 2026-11-24 10:30 to 2026-11-24 14:30 UTC"
    ]
    assert ready.status_code == 200
    assert ready.json()["warnings"]["lost-entries"] == "entries are missing"
    assert faults == []
    assert "entries_lost" in [line["event"] for line in lines()]


def test_a_loss_is_recorded_once_and_ends_after_28_days(loss: Loss) -> None:
    for _ in range(2):
        service = loss.service()
        with TestClient(service) as client:
            once = losses_of(service.state.context)
            assert client.get(f"/v1/concerns/{UNKNOWN}", headers=bearer("wrong")).json()["detail"].endswith(OF_THE_API)

    loss.clock.time += TOLD_FOR + HOUR
    with TestClient(loss.service()) as client:
        later = client.get(f"/v1/concerns/{UNKNOWN}", headers=bearer("wrong")).json()["detail"]

    assert len(once) == 1
    assert later == "No concern matches this reference and status token. Check both for mistakes."


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_every_unknown_code_is_told_the_same_whether_its_concern_is_there_or_not(loss: Loss) -> None:
    with TestClient(loss.service()) as client:
        wrong = [
            (loss.lost["reference"], loss.lost["status_token"]),
            (loss.kept["reference"], new_status_token()),
            (UNKNOWN, new_status_token()),
            ("no reference", new_status_token()),
        ]
        api = [client.get(f"/v1/concerns/{reference}", headers=bearer(code)).json() for reference, code in wrong]
        messages = [
            client.get(f"/v1/concerns/{reference}/messages", headers=bearer(code)).json() for reference, code in wrong
        ]
        pages = [client.post("/concerns", data={"reference": name, "code": code}) for name, code in wrong]
        right = client.post("/concerns", data={"reference": loss.kept["reference"], "code": loss.kept["status_token"]})
        empty = client.get("/concerns")

    assert {each["detail"] for each in (*api, *messages)} == {
        f"No concern matches this reference and status token. Check both for mistakes. {OF_THE_API}"
    }
    told = [page.text.replace(name, "").replace(code, "") for page, (name, code) in zip(pages, wrong, strict=True)]
    assert {page.status_code for page in pages} == {404}
    assert len(set(told[:-1])) == 1  # the last has no reference: the page says so, whatever is stored
    assert all(SENTENCE in page for page in told)
    assert right.status_code == empty.status_code == 200
    assert SENTENCE not in right.text + empty.text


def test_the_desk_is_told_the_same_of_unknown_concerns_as_before(loss: Loss) -> None:
    service = loss.service()
    with TestClient(service) as client:
        refused = desk_of(service, client).get(f"/concerns/{loss.lost['reference']}").json()

    assert refused["detail"] == "No concern has that reference. Check the spelling."


def test_after_too_many_wrong_codes_and_for_a_saved_form_it_is_said_too(loss: Loss) -> None:
    reference = loss.lost["reference"]
    with TestClient(loss.service()) as client:
        for _ in range(31):
            api = client.get(f"/v1/concerns/{reference}", headers=bearer(new_status_token()))
        page = client.post("/concerns", data={"reference": reference, "code": loss.lost["status_token"]})
        short = client.post("/pl/concerns", data={"reference": reference, "code": loss.lost["status_token"]})
        saved = client.post("/concerns/saved", data={"code": "7K3M-9QXT-2W8R-VB5N"})

    assert (api.status_code, page.status_code, short.status_code) == (429, 429, 429)
    assert api.json()["detail"].endswith(OF_THE_API)
    assert SENTENCE in page.text
    assert "prosimy wysłać to jeszcze raz" in short.text
    assert saved.status_code in (404, 429)
    assert SENTENCE in saved.text


def test_reporters_are_told_in_every_language(loss: Loss) -> None:
    with TestClient(loss.service()) as client:
        for prefix, language in BY_PREFIX.items():
            page = client.post(f"{prefix}/concerns", data={"reference": UNKNOWN, "code": "wrong"})
            begins = SENTENCE.partition("{")[0] if language.is_english else words_of(prefix)[0]

            assert begins[:12] in page.text, prefix
            assert all(each in page.text for each in words_of(prefix)), prefix


def words_of(prefix: str) -> list[str]:
    """The parts of the sentence in that language without its times."""
    language, key = BY_PREFIX[prefix], "If you wrote to us between {since} and {until}, please send it again."
    words = key if language.is_english else str(read_catalogue(language)[key].string)
    return [part.strip() for part in words.replace("{until}", "{since}").split("{since}") if part.strip()]


def another_node(context: AppContext, folder: Path) -> LostEntries:
    """A node with the same database, and a data folder of its own."""
    return LostEntries(folder, context.writer, context.clock)


def test_each_node_compares_its_own_file_and_one_of_them_records(loss: Loss, tmp_path: Path) -> None:
    own, short, empty = (tmp_path / name for name in ("own", "short", "empty"))
    for folder in (own, short, empty):
        folder.mkdir()
    shutil.copy(loss.folder / KNOWN_END_FILE, own)
    name, end = next(iter(read_known_ends(own).items()))
    service = loss.service()
    with TestClient(service) as client:
        context: AppContext = service.state.context
        raise_concern(client)  # the log is longer again than it was known to be
        nodes = [another_node(context, folder) for folder in (own, short, empty)]
        for node in nodes:
            node.look()
        once = losses_of(context)
        lost_entries.write_known_end(short, name, end.model_copy(update={"position": end.position + 5}))
        nodes[1].look()
        twice = losses_of(context)

    assert len(once) == 1
    assert len({node.gap for node in nodes}) == 1
    assert [each.partition("least ")[2].partition(" are")[0] for each in twice[:1]] == ["6 actions"]
    assert read_known_ends(own) == read_known_ends(empty)


def test_a_rollback_under_a_running_service_is_noticed_too(loss: Loss, tmp_path: Path) -> None:
    service = loss.service()
    with TestClient(service) as client:
        context: AppContext = service.state.context
        node = another_node(context, tmp_path / "node")
        raise_concern(client)
        node.look()
        name, end = next(iter(read_known_ends(tmp_path / "node").items()))
        changed = end.model_copy(update={"sha256": "0" * 64, "position": end.position})
        lost_entries.write_known_end(tmp_path / "node", name, changed)
        node.look()

        assert len(losses_of(context)) == 2


def test_a_start_with_the_wrong_database_warns_and_leaves_the_right_one_alone(loss: Loss, tmp_path: Path) -> None:
    with TestClient(loss.service()):
        pass
    loss.clock.time += HOUR
    copy_prepared(tmp_path / "wrong")
    shutil.copy(loss.folder / KNOWN_END_FILE, tmp_path / "wrong")
    wrong = create_app(Settings(data_dir=tmp_path / "wrong", deliver=False), loss.clock)
    with TestClient(wrong) as client:
        for _ in range(3):
            raise_concern(client)
        warned = losses_of(wrong.state.context)
    shutil.copy(tmp_path / "wrong" / KNOWN_END_FILE, loss.folder)
    service = loss.service()
    with TestClient(service):
        again = losses_of(service.state.context)

    assert len(warned) == 1
    assert len(again) == 1
    assert warned != again


def test_a_copied_folder_and_a_first_start_warn_of_nothing(loss: Loss, tmp_path: Path) -> None:
    first = create_app(Settings(data_dir=tmp_path / "first", deliver=False), loss.clock)
    with TestClient(first) as client:
        raise_concern(client)
        assert losses_of(first.state.context) == []
    copy_database(tmp_path / "first", tmp_path / "copy")
    copy = create_app(Settings(data_dir=tmp_path / "copy", deliver=False), loss.clock)
    with TestClient(copy):
        assert losses_of(copy.state.context) == []
        assert reading_of(copy.state.context).value == 0


def test_the_file_follows_at_intervals_and_at_the_stop_and_not_with_each_act(service: FastAPI) -> None:
    context: AppContext = service.state.context
    folder = context.settings.data_dir
    with TestClient(service) as client:
        raise_concern(client)
        context.lost_entries.look()
        before = (folder / KNOWN_END_FILE).read_bytes()
        raise_concern(client)
        between = (folder / KNOWN_END_FILE).read_bytes()
    (end,) = read_known_ends(folder).values()

    assert between == before
    assert end.position == json.loads(before)[next(iter(read_known_ends(folder)))]["position"] + 1
    assert (folder / KNOWN_END_FILE).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"", b'{"a": {"posi', b"[]", b"\xff\xfe", b'{"a": {"position": "x"}}'])
def test_a_torn_file_stops_nobody_and_is_written_again(service: FastAPI, lines: Lines, content: bytes) -> None:
    context: AppContext = service.state.context
    (context.settings.data_dir / KNOWN_END_FILE).write_bytes(content)
    with TestClient(service) as client:
        raise_concern(client)
        context.lost_entries.look()

        assert client.get("/health/ready").status_code == 200
        assert losses_of(context) == []
    assert len(read_known_ends(context.settings.data_dir)) == 1
    assert "known_end_unreadable" in [line["event"] for line in lines()]


def test_a_folder_that_cannot_be_written_is_logged_once_and_stops_nobody(
    service: FastAPI, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(lost_entries, "write_key_file", refuse)
    with TestClient(service) as client:
        raise_concern(client)
        for _ in range(3):
            service.state.context.lost_entries.look()

        assert client.get("/health/ready").status_code == 200
    assert [line["event"] for line in lines()].count("known_end_not_written") == 1


def test_a_loss_that_cannot_be_recorded_yet_is_told_and_not_forgotten(
    loss: Loss, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = loss.service()
    context: AppContext = service.state.context
    run = context.writer.run

    def busy(operation: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        if operation.__name__ == "_record":
            raise StoreBusy
        return run(operation, *arguments, **named)

    monkeypatch.setattr(context.writer, "run", busy)
    before = (loss.folder / KNOWN_END_FILE).read_bytes()
    with TestClient(service) as client:
        detail = client.get(f"/v1/concerns/{UNKNOWN}", headers=bearer("wrong")).json()["detail"]
        recorded = losses_of(context)
        reading = reading_of(context)

    assert detail.endswith(OF_THE_API)
    assert (recorded, reading.value) == ([], 1)
    assert (loss.folder / KNOWN_END_FILE).read_bytes() == before


@pytest.mark.embedded
def test_a_kill_and_half_a_write_ahead_log_are_noticed_at_the_next_start(live: LiveServer) -> None:
    log = live.data_dir / f"{DATABASE_FILE}-wal"
    receipts = [raise_at(live.url) for _ in range(20)]
    with raw_connection(live.data_dir) as connection:
        last = connection.execute("SELECT max(position) FROM audit_entries").fetchone()[0]
        wait_until(lambda: [each.position for each in read_known_ends(live.data_dir).values()] == [last])
        live.kill()
        content = log.read_bytes()  # before the connection closes, which would empty the log
    log.write_bytes(content[: len(content) // 2])

    verified = guidance("verify", "--data-dir", live.data_dir)
    live.start()
    with live.client() as client:
        answers = [client.get(each["links"]["self"], headers=token_of(each)) for each in receipts]
    again = guidance("verify", "--data-dir", live.data_dir)

    lost = [answer.json()["detail"] for answer in answers if answer.status_code == 404]
    assert 0 < len(lost) < len(receipts)
    assert all("If you wrote to us between" in each for each in lost)
    assert verified.returncode == 1
    assert "audit log: the database ends before what was known: at least" in verified.stdout
    assert again.returncode == 0, again.stdout
    assert "audit log: the database ends before what was known: at least" in again.stderr


def restored_over(loss_folder: Path, tmp_path: Path) -> tuple[Any, Any]:
    """Restore the backup over the folder's database, and verify it before the next start."""
    arguments = ("--data-dir", loss_folder)
    return guidance("restore", tmp_path / "backup.db", "--force", *arguments), guidance("verify", *arguments)


@pytest.mark.embedded
def test_a_restore_tells_what_it_lost_and_the_next_start_records_it(tmp_path: Path) -> None:
    folder, clock = tmp_path / "data", SettableClock()
    copy_prepared(folder)
    service = create_app(Settings(data_dir=folder, deliver=False), clock)
    with TestClient(service) as client:
        raise_concern(client)
        assert guidance("backup", tmp_path / "backup.db", "--data-dir", folder).returncode == 0
        for _ in range(3):
            raise_concern(client)
    (folder / KNOWN_END_FILE).unlink()  # the former database knows it as well

    restored, verified = restored_over(folder, tmp_path)
    service = create_app(Settings(data_dir=folder, deliver=False), clock)
    with TestClient(service) as client:
        recorded = losses_of(service.state.context)
        detail = client.get(f"/v1/concerns/{UNKNOWN}", headers=bearer("wrong")).json()["detail"]

    assert restored.returncode == 0
    assert "the database ends before what was known: at least 3 actions are missing, from 2026-11-24" in restored.stdout
    assert "back-up-and-restore.md" in restored.stdout
    assert verified.returncode == 1
    assert len(recorded) == 1
    assert "If you wrote to us between" in detail


@pytest.mark.embedded
def test_a_restore_that_loses_nothing_says_and_records_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    copy_prepared(folder)
    with TestClient(create_app(Settings(data_dir=folder, deliver=False), SettableClock())) as client:
        raise_concern(client)
    assert guidance("backup", tmp_path / "backup.db", "--data-dir", folder).returncode == 0

    restored, verified = restored_over(folder, tmp_path)
    service = create_app(Settings(data_dir=folder, deliver=False), SettableClock())
    with TestClient(service):
        assert losses_of(service.state.context) == []

    assert "may be missing" not in restored.stdout
    assert verified.stdout.endswith("1 concern and 1 audit log entry: no errors\n")
    assert (restored.returncode, verified.returncode) == (0, 0)


@pytest.mark.embedded
def test_a_restore_on_a_new_computer_says_that_later_entries_may_be_missing(tmp_path: Path) -> None:
    folder, new = tmp_path / "data", tmp_path / "new"
    copy_prepared(folder)
    with TestClient(create_app(Settings(data_dir=folder, deliver=False), SettableClock())) as client:
        raise_concern(client)
    assert guidance("backup", tmp_path / "backup.db", "--data-dir", folder).returncode == 0
    shutil.copytree(folder, new, ignore=shutil.ignore_patterns("guidance.db*", KNOWN_END_FILE))

    restored, verified = restored_over(new, tmp_path)
    for _ in range(2):
        service = create_app(Settings(data_dir=new, deliver=False), SettableClock())
        with TestClient(service) as client:
            recorded = losses_of(service.state.context)
            detail = client.get(f"/v1/concerns/{UNKNOWN}", headers=bearer("wrong")).json()["detail"]

    assert "a backup was restored: actions from 2026-11-24 09:30 to" in restored.stdout
    assert verified.returncode == 0
    assert "a backup was restored" in verified.stderr
    assert len(recorded) == 1
    assert "If you wrote to us between" in detail
