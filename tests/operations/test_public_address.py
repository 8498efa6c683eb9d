"""Without a public address, the service says the address at which it listens; and it names what nobody has checked."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.config import Settings
from app.server.run import address_of, settings_at
from tests.support.live import LiveServer

RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path / "data", seal_to=RECIPIENT)
    server.start()
    yield server
    server.stop()


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
