"""Set-ups for the doctor: a healthy one, as an operator runs it, which a test then breaks in one place."""

import datetime as dt
import hashlib
import re
import shutil
import socket
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pyrage import x25519
from starlette.testclient import TestClient

from app.clock import utc_now
from app.config import SEED_DIR, Settings
from app.extensions.operator_tools.services import database_checks, page_checks
from app.extensions.operator_tools.services.doctor import Finding, examine
from app.main import create_app
from app.models.audit.rows import NotedTime
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.models.events.rows import EventKind, WebhookRow
from app.services.access.row_signing import ACCESS_KEY, AccessKeys
from app.services.events.rounds import note_round
from app.services.events.webhook_keys import open_webhook_keys
from app.services.events.webhooks import insert_webhook
from app.services.operations import watches
from app.services.operations.backup import RestoreTest, back_up, backup_path, drill_restore
from app.services.operations.check_model import Condition
from app.services.operations.public_address import PublicAnswer, Validity
from tests.support.concerns import raise_concern
from tests.support.databases import address_for, copy_database, on_postgresql, postgresql, raw_connection
from tests.support.desk import desk_of

READY = PublicAnswer(200, {"database": "ok", "writer": "ok"})
_drilled: dict[bytes, RestoreTest] = {}


def drill_once(backup: Path, *, at: dt.datetime) -> RestoreTest:
    """Test that the backup can be restored, once for the same bytes: set-ups are copies of one."""
    digest = hashlib.sha256(backup.read_bytes()).digest()
    if digest not in _drilled:
        _drilled[digest] = drill_restore(backup, at=at)
    return _drilled[digest]


setattr(database_checks, "drill_restore", drill_once)  # noqa: B010  # not a method


@dataclass
class SetUp:
    """A folder with everything of a service, its settings, and the identities that are kept elsewhere."""

    folder: Path
    identities: tuple[str, ...]
    values: dict[str, Any]

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def settings(self) -> Settings:
        return Settings.model_validate(self.values)

    def copy(self, folder: Path) -> "SetUp":
        """Return the same set-up in another folder, with the same seed."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("data", "seed"))
        copy_database(self.data_dir, folder / "data")
        moved = {
            name: folder / path.relative_to(self.folder)
            for name, path in self.values.items()
            if isinstance(path, Path) and name != "seed_dir"
        }
        address = address_for(folder / "data")
        return SetUp(folder, self.identities, self.values | moved | ({"database_url": address} if address else {}))

    def seed_of_its_own(self) -> Path:
        """Return the folder of a seed that may be changed: no other set-up reads it."""
        seed = self.folder / "seed"
        self.values["seed_dir"] = shutil.copytree(self.values["seed_dir"], seed)
        return seed


def make_set_up(folder: Path) -> SetUp:
    """Make a healthy set-up: a service has run, the desk has done its work, and last night there was a backup."""
    identities = tuple(str(x25519.Identity.generate()) for _ in range(2))
    recipients = [str(x25519.Identity.from_str(each).to_public()) for each in identities]
    made = SetUp(
        folder,
        identities,
        {
            "data_dir": folder / "data",
            "seed_dir": checked_seed(folder / "seed"),
            "backup_folder": folder / "backups",
            "seal_to": ",".join(recipients),
            "public_url": "https://guidance.council.example",
            "trusted_proxies": "192.0.2.1",
            "council_name": "Bath & North East Somerset Council",
            "acknowledge_danger_minutes": "60",
            "acknowledge_not_sure_minutes": "240",
            "accessibility_contact": "mailto:access@council.example",
            "privacy_contact": "mailto:privacy@council.example",
            "data_complaints_contact": "mailto:complaints@council.example",
            "adults_contact": "tel:01632960002",
            "complaints_contact": "mailto:complaints@council.example",
            "security_contact": "mailto:security@council.example",
            "security_expires": f"{utc_now() + dt.timedelta(days=300):%Y-%m-%dT%H:%M:%SZ}",
            "deliver": "false",
        },
    )
    work_a_day(made)
    (folder / "backups").mkdir()
    if address_for(made.data_dir) is None:
        an_hour_ago = utc_now() - dt.timedelta(hours=1)  # in its own second a test could make none beside it
        back_up(made.data_dir, backup_path(folder / "backups", at=an_hour_ago), replace=False)
    else:
        receipt_key, webhook_key = made.data_dir / "receipt-key.pem", made.data_dir / "webhook-key.txt"
        made.values |= {"receipt_key_file": receipt_key, "webhook_key_file": webhook_key}
        made.values |= {"access_key_file": made.data_dir / ACCESS_KEY}
        open_webhook_keys(made.settings).add()
        access_key = AccessKeys(made.data_dir / ACCESS_KEY, is_configured=True)
        if not access_key.path.exists():
            access_key.add()
        (folder / "backups" / "guidance.dump").write_bytes(b"as pg_dump wrote it")
    return made


def work_a_day(set_up: SetUp) -> None:
    """Receive a concern, and acknowledge it."""
    service = create_app(set_up.settings, utc_now)
    with TestClient(service, base_url="https://guidance.council.example") as client:
        reference = raise_concern(client, **SMALLEST_EXAMPLE)["reference"]
        assert desk_of(service, client).act(reference, "acknowledgement").status_code == 200


def reachable(monkeypatch: Any, answer: PublicAnswer = READY, *, certificate: Validity | None = None) -> None:
    """Let the public address give that answer, with a certificate. Its name is invented, so nothing is there."""
    new = Validity(utc_now() - dt.timedelta(days=1), utc_now() + dt.timedelta(days=89))
    monkeypatch.setattr(watches, "call_public_address", lambda _: answer)
    monkeypatch.setattr(watches, "read_certificate", lambda _: certificate or new)


def build_script(monkeypatch: Any, folder: Path) -> None:
    """Let the script of the desk be built, into that new folder."""
    folder.mkdir()
    for name in (page_checks.BUILT, page_checks.BUILT_PAGE):
        (folder / name).touch()
    monkeypatch.setattr(page_checks, "BUILT_FOLDER", folder)


def checked_seed(folder: Path) -> Path:
    """Return a copy of the seed whose contacts and statements a person has checked, and whose review is far away."""
    shutil.copytree(SEED_DIR, folder)
    today = utc_now().date()
    for path in (folder / "signposts.yaml", folder / "legal-statements.yaml", *folder.glob("guides/*/*.yaml")):
        text = path.read_text().replace("verified_on: null", f"verified_on: {today}")
        text = re.sub("recheck_by: .*", f"recheck_by: {today + dt.timedelta(days=400)}", text)
        path.write_text(text.replace("review_by: null", f"review_by: {today + dt.timedelta(days=365)}"))
    return folder


def findings(set_up: SetUp, at: dt.datetime | None = None, *, is_quick: bool = False) -> dict[str, Finding]:
    """Return what the doctor finds, by check. A server of tests that does not flush is no part of the set-up."""
    examined = examine(set_up.settings, at=at or utc_now(), is_quick=is_quick)
    found = {each.check: each for each in examined}
    if on_postgresql() and not postgresql().flushes and "durability" in found:
        found["durability"] = replace(found["durability"], condition=Condition.FINE)
    return found


def blamed(found: dict[str, Finding]) -> dict[str, Condition]:
    return {
        name: each.condition for name, each in found.items() if each.condition in (Condition.WARNING, Condition.FAULT)
    }


def post_concern(set_up: SetUp, at: dt.datetime) -> None:
    with TestClient(create_app(set_up.settings, lambda: at), base_url=set_up.settings.public_url) as client:
        assert client.post("/v1/concerns", json=SMALLEST_EXAMPLE).status_code == 201


def add_receiver(set_up: SetUp, url: str | None = None, **more: Any) -> None:
    service = create_app(set_up.settings, utc_now)
    secret = open_webhook_keys(set_up.settings).encrypt("receiver", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    row = WebhookRow(
        name="receiver",
        url=url or address_that_listens(),
        kinds=[EventKind.CONCERN_RECEIVED.value],
        secrets=[secret],
        **{"added_at": utc_now()} | more,
    )
    with TestClient(service):
        writer = service.state.context.writer
        writer.run(insert_webhook, row)
        writer.run(note_round, NotedTime.WEBHOOK_ROUND, at=utc_now())  # as a process does that delivers


@cache
def address_that_listens() -> str:
    """Return an address of this machine that takes connections, and never says a word."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    port = listening.getsockname()[1]
    listening.detach()  # it stays open as long as this process
    return f"http://127.0.0.1:{port}/"


def execute(set_up: SetUp, *statements: str) -> None:
    with raw_connection(set_up.data_dir) as database:
        for statement in statements:
            database.execute(statement)
