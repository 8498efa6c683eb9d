"""A service with every part outside, of which one after the other dies: all is named, nothing is lost, all comes back.

`pytest -s` of this file prints the figures of `docs/reference/operations.md`.
"""

import json
import re
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyrage import x25519

from app.models.concerns.examples import SMALLEST_EXAMPLE
from tests.operations.test_faults import comes_back, kill_postgresql
from tests.support.command import guidance
from tests.support.databases import Postgresql
from tests.support.live import LiveServer
from tests.support.mail_server import MailServer
from tests.support.openid import AUDIENCE, Provider
from tests.support.receiver import Receiver
from tests.support.store import Store
from tests.support.waiting import eventually

pytestmark = [pytest.mark.nightly, pytest.mark.embedded, pytest.mark.slow]

PATIENCE = 900
"""Seconds: the fifth attempt of a webhook comes after about ten minutes."""
DOWN = 3
"""Concerns that are sent while each part is away."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@dataclass
class Part:
    """One part outside: how it comes, how it goes, and what the doctor calls it."""

    name: str
    start: Callable[[], None]
    stop: Callable[[], None]
    keeps_concerns: bool = True


@dataclass
class Mail:
    """A mail server that can die and come back; what each one took stays."""

    port: int = field(default_factory=free_port)
    servers: list[MailServer] = field(default_factory=list)

    def start(self) -> None:
        self.servers.append(MailServer(port=self.port).__enter__())

    def stop(self) -> None:
        self.servers[-1].__exit__()

    @property
    def told(self) -> int:
        """The number of concerns that the emails told of."""
        words = [email.get_content() for server in self.servers for email in server.emails]
        return sum(
            int(found) for each in words for found in re.findall(r"^([0-9]+) new concerns?\.", each, re.MULTILINE)
        )


@dataclass
class Cases:
    """A receiver of webhooks, likewise."""

    port: int = field(default_factory=free_port)
    receivers: list[Receiver] = field(default_factory=list)

    def start(self) -> None:
        self.receivers.append(Receiver(port=self.port))

    def stop(self) -> None:
        self.receivers[-1].close()

    @property
    def references(self) -> set[str]:
        """The concerns that its notices named."""
        notices = [json.loads(notice.body) for receiver in self.receivers for notice in receiver.notices]
        return {notice["data"]["reference"] for notice in notices}


@dataclass
class People:
    """An OpenID provider, likewise."""

    port: int = field(default_factory=free_port)
    provider: Provider | None = None

    def start(self) -> None:
        self.provider = Provider(self.port)

    def stop(self) -> None:
        if self.provider is not None:
            self.provider.leave()
        self.provider = None


@dataclass
class Whole:
    """The service, its settings, and everything that was acknowledged."""

    server: LiveServer
    settings: dict[str, str]
    receipts: dict[str, str] = field(default_factory=dict)

    def send(self, number: int) -> list[int]:
        """Send concerns, and keep what was acknowledged. Return the statuses."""
        statuses = []
        for _ in range(number):
            sent = httpx.post(f"{self.server.url}/v1/concerns", json=SMALLEST_EXAMPLE, trust_env=False, timeout=60)
            statuses.append(sent.status_code)
            if sent.status_code == 201:
                self.receipts[sent.json()["reference"]] = sent.json()["status_token"]
        return statuses

    def readiness_names(self, part: str) -> bool:
        try:
            ready = httpx.get(f"{self.server.url}/health/ready", trust_env=False, timeout=60).json()
        except httpx.TransportError:
            return False
        return part in ready["warnings"] or ready["checks"].get(part, "ok") != "ok"

    def metrics_name(self, part: str) -> bool:
        text = httpx.get(f"{self.server.url}/metrics", trust_env=False, timeout=60)
        return f'guidance_outside_failing{{part="{part}"}} 1.0' in text.text or text.status_code == 503

    def doctor_says(self, part: str) -> str:
        printed = guidance("doctor", "--quick", "--json", "--data-dir", self.server.data_dir, **self.settings)
        found = {each["check"]: each["condition"] for each in json.loads(printed.stdout)}
        return str(found[part])

    def is_lost(self, reference: str) -> bool:
        token = {"Authorization": f"Bearer {self.receipts[reference]}"}
        status = httpx.get(f"{self.server.url}/v1/concerns/{reference}", headers=token, trust_env=False, timeout=60)
        return status.status_code != 200


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[tuple[dict[str, Any], dict[str, Part], Mail, Cases]]:
    mail, cases, people = Mail(), Cases(), People()
    store, shared = Store(tmp_path), Postgresql(durable=True)
    secret = tmp_path / "secret"
    secret.write_text(secrets.token_hex(32))
    settings = {
        "seal_to": str(x25519.Identity.generate().to_public()),
        "database_url": shared.address(shared.database_of(tmp_path / "data")),
        "smtp_host": "127.0.0.1",
        "smtp_port": str(mail.port),
        "smtp_security": "none",
        "smtp_from": "desk@council.example",
        "smtp_to": "duty@council.example",
        "openid_issuer": f"http://127.0.0.1:{people.port}/tenant",
        "openid_audience": AUDIENCE,
        "limits_store": store.url,
        "limits_secret_file": str(secret),
    }
    all_parts = [
        Part("limits-store", store.start, store.stop),
        Part("openid", people.start, people.stop),
        Part("email", mail.start, mail.stop),
        Part("webhooks", cases.start, cases.stop),
    ]
    with ExitStack() as ending:
        ending.callback(shared.server.cleanup)
        for part in all_parts:
            part.start()
            ending.callback(part.stop)
        database = Part("database", lambda: None, lambda: kill_postgresql(shared), keeps_concerns=False)
        database.start = lambda: _until(lambda: comes_back(shared))
        yield settings, {part.name: part for part in [*all_parts, database]}, mail, cases


def _until(condition: Callable[[], object]) -> None:
    assert eventually(condition, patience_seconds=PATIENCE)


def test_each_failing_part_outside_is_named_loses_nothing_and_returns(
    tmp_path: Path, parts: tuple[dict[str, Any], dict[str, Part], Mail, Cases]
) -> None:
    settings, every, mail, cases = parts
    with LiveServer(tmp_path / "data", **settings) as server:
        whole = Whole(server, {name.upper(): value for name, value in settings.items()})
        address = f"http://127.0.0.1:{cases.port}/"
        added = guidance(
            *("webhooks", "add", "cases", address, "--event", "concern.received", "--data-dir", server.data_dir),
            **whole.settings,
        )
        assert added.returncode == 0, added.stderr
        assert whole.send(DOWN) == [201] * DOWN
        for part in every.values():
            assert whole.doctor_says(part.name) != "fault"
            part.stop()
            statuses = whole.send(DOWN)
            began = time.monotonic()
            _until(lambda part=part: whole.readiness_names(part.name))  # type: ignore[misc]
            named = time.monotonic() - began
            assert whole.metrics_name(part.name)
            assert whole.doctor_says(part.name) == "fault"
            part.start()
            began = time.monotonic()
            _until(lambda part=part: not whole.readiness_names(part.name))  # type: ignore[misc]
            back = time.monotonic() - began
            assert whole.doctor_says(part.name) != "fault"
            sys.stdout.write(f"| `{part.name}` | {statuses} | {named:.0f} s | {back:.0f} s |\n")

            assert statuses == [201 if part.keeps_concerns else 503] * DOWN
        assert whole.send(DOWN) == [201] * DOWN
        _until(lambda: mail.told >= len(whole.receipts) and cases.references >= set(whole.receipts))
        lost = [reference for reference in whole.receipts if whole.is_lost(reference)]

    assert lost == []
    assert len(whole.receipts) == DOWN * (len(every) + 1)
    assert guidance("verify", "--data-dir", server.data_dir, **whole.settings).returncode == 0
