"""Without recipients the service starts only as a trial: where nobody else can reach it, or where it is named one."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pyrage
import pytest
from starlette.testclient import TestClient

from app.config import ADDRESS_FILE, Settings, settings_as_served, settings_at
from app.db.database import DATABASE_FILE
from app.errors import SetupError
from app.main import create_app
from app.models.access.clients import Scope
from app.models.links import CHECKPOINT
from app.server.listening import address_of
from app.server.run import check_recipients
from app.services.concerns.keys import DEVELOPMENT_IDENTITY, create_identity
from tests.support.clock import A_TUESDAY
from tests.support.command import guidance
from tests.support.concerns import a_concern
from tests.support.live import LiveServer
from tests.support.loops import for_each

pytestmark = pytest.mark.any_database

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  # what a trial may not listen on
A_RECIPIENT = str(pyrage.x25519.Identity.generate().to_public())
IN_USE: dict[str, tuple[str, dict[str, Any]]] = {
    "--host is not an address of this machine alone": (EVERY_ADDRESS, {}),
    "GUIDANCE_DATABASE_URL is set": (
        "127.0.0.1",
        {"database_url": "postgresql+psycopg://guidance@db.example/guidance"},
    ),
    "GUIDANCE_PUBLIC_URL is https": ("127.0.0.1", {"public_url": "HTTPS://guidance.council.example"}),
    "GUIDANCE_TRUSTED_PROXIES is set": ("127.0.0.1", {"trusted_proxies": "127.0.0.1"}),
}


@for_each(("sign", "start"), IN_USE.items())
def test_a_service_that_others_can_reach_does_not_start_without_recipients(
    sign: str, start: tuple[str, dict[str, Any]]
) -> None:
    host, given = start

    with pytest.raises(SetupError, match=sign):
        check_recipients(Settings(**given), host=host, is_named_trial=False)

    assert check_recipients(Settings(**given), host=host, is_named_trial=True)
    assert not check_recipients(Settings(**given, seal_to=(A_RECIPIENT,)), host=host, is_named_trial=False)


@for_each("host", ["", EVERY_ADDRESS, "::", "192.0.2.1", "guidance.council.example"])
def test_an_address_beyond_this_machine_is_no_trial(host: str) -> None:
    with pytest.raises(SetupError, match="--host"):
        check_recipients(Settings(), host=host, is_named_trial=False)


@for_each("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_an_address_of_this_machine_is_a_trial(host: str) -> None:
    assert check_recipients(Settings(), host=host, is_named_trial=False)


def test_a_named_trial_with_recipients_is_refused() -> None:
    with pytest.raises(SetupError, match="--trial is for a start without GUIDANCE_SEAL_TO"):
        check_recipients(Settings(seal_to=(A_RECIPIENT,)), host="127.0.0.1", is_named_trial=True)


@pytest.mark.slow
@pytest.mark.parametrize("lost", [{}, {"SEALTO": A_RECIPIENT}, {"SEAL_TO": ""}])
def test_lost_misspelt_or_empty_recipients_stop_the_start_and_leave_nothing(
    tmp_path: Path, lost: dict[str, str]
) -> None:
    data_dir = tmp_path / "data"

    finished = guidance("serve", "--host", EVERY_ADDRESS, "--port", "0", "--data-dir", data_dir, **lost)

    assert finished.returncode == 1
    assert "GUIDANCE_SEAL_TO" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not data_dir.exists()


@pytest.mark.slow
@pytest.mark.embedded
def test_a_database_once_used_with_recipients_is_no_trial_without_them(tmp_path: Path) -> None:
    trial = Settings(data_dir=tmp_path / "data")
    for settings in (trial, Settings(data_dir=tmp_path / "data", seal_to=(A_RECIPIENT,))):
        with TestClient(create_app(settings)) as client:
            assert check_recipients(trial, host="127.0.0.1", is_named_trial=False)
            assert client.post("/v1/concerns", json=a_concern()).status_code == 201

    with pytest.raises(SetupError, match="the newest concern of this database is sealed to others"):
        check_recipients(trial, host="127.0.0.1", is_named_trial=False)


@pytest.mark.embedded
def test_a_database_that_cannot_be_read_may_be_in_use_and_is_no_trial(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    (tmp_path / DATABASE_FILE).touch()
    assert check_recipients(settings, host="127.0.0.1", is_named_trial=False)
    (tmp_path / DATABASE_FILE).write_bytes(b"damaged" * 1000)

    with pytest.raises(SetupError, match="or cannot be read"):
        check_recipients(settings, host="127.0.0.1", is_named_trial=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("served") / "data", seal_to=A_RECIPIENT) as server:
        yield server


@pytest.mark.slow
def test_a_service_with_recipients_says_nothing_of_a_trial(server: LiveServer) -> None:
    assert "trial" not in server.log.read_text()
    assert not (server.data_dir / DEVELOPMENT_IDENTITY).exists()


@pytest.mark.slow
def test_samples_documents_and_receipts_name_the_port_that_is_served(server: LiveServer) -> None:
    with server.client() as client:
        assert f"{server.url}/v1/concerns/check" in client.get("/docs/getting-started").text
        assert client.get("/openapi.json").json()["servers"][0]["url"] == server.url
    assert '"duty_number_unverified"' in server.log.read_text()


@pytest.mark.parametrize(
    ("bound", "address"),
    [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:"), ("::1", "http://[::1]:")],  # noqa: S104  # what is tested
)
def test_the_address_is_one_that_a_browser_on_this_machine_can_open(bound: str, address: str) -> None:
    with closing(socket.socket(socket.AF_INET6 if ":" in bound else socket.AF_INET)) as listening:
        listening.bind((bound, 0))

        assert address_of(listening) == f"{address}{listening.getsockname()[1]}"


def test_a_public_address_that_is_set_stays(tmp_path: Path) -> None:
    default = "http://127.0.0.1:8000"
    named = Settings(data_dir=tmp_path, public_url=default)

    assert settings_at(named, "http://127.0.0.1:1").public_url == default
    assert settings_at(Settings(data_dir=tmp_path), "http://127.0.0.1:1").public_url == "http://127.0.0.1:1"


@pytest.mark.slow
@pytest.mark.embedded
def test_commands_know_the_address_of_a_trial_also_after_it_has_stopped(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server:
        headers = {"Authorization": f"Bearer {server.new_key(Scope.AUDIT)}"}
        assert guidance("audit", "checkpoint", "--data-dir", server.data_dir).returncode == 0
        note = httpx.get(f"{server.url}{CHECKPOINT}", headers=headers, trust_env=False)
        invited = guidance("desk", "invite", "Jo Example", "--role=worker", "--data-dir", server.data_dir)
    (tmp_path / "note").write_text(note.text)
    key = guidance("audit", "key", "--data-dir", server.data_dir).stdout.strip()
    compared = guidance("verify", "--checkpoint", tmp_path / "note", "--key", key, "--data-dir", server.data_dir)

    port = server.url.rpartition(":")[2]
    assert invited.stdout.startswith(f"http://localhost:{port}/desk/invitation#")
    assert key.startswith(f"127.0.0.1:{port}/disclosures+")
    assert compared.returncode == 0, compared.stderr


@pytest.mark.slow
@pytest.mark.embedded
def test_the_recipient_of_a_trial_or_its_absence_is_listed(tmp_path: Path) -> None:
    none = guidance("keys", "list", "--data-dir", tmp_path / "data")
    recipient = create_identity(tmp_path / "data" / DEVELOPMENT_IDENTITY, at=A_TUESDAY)
    trial = guidance("keys", "list", "--data-dir", tmp_path / "data")

    assert (none.returncode, none.stdout) == (0, "")
    assert "GUIDANCE_SEAL_TO is not set" in none.stderr
    assert trial.stdout.split()[1] == recipient
    assert "This is a trial" in trial.stderr


@for_each("left", ["http://127.0.0.1:1", "rubbish", "http://127.0.0.1:8000/path", "javascript:alert(1)", "", "\xff"])
def test_a_saved_address_counts_if_valid_and_settings_name_none(left: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        nothing_left = settings_as_served(Settings(data_dir=data_dir)).public_url
        (data_dir / ADDRESS_FILE).write_text(left, encoding="latin-1")
        found = settings_as_served(Settings(data_dir=data_dir))
        named = settings_as_served(Settings(data_dir=data_dir, public_url="https://guidance.council.example"))

    assert nothing_left == "http://127.0.0.1:8000"
    assert found.public_url == (left if left == "http://127.0.0.1:1" else nothing_left)
    assert named.public_url == "https://guidance.council.example"
    assert settings_at(found, "http://127.0.0.1:2").public_url == "http://127.0.0.1:2"  # where a start listens, counts
