"""Operating webhooks: trying, hastening, removing; and secrets that are encrypted in the database."""

import datetime as dt
import json
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import Session, col, select
from standardwebhooks import Webhook
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from app.cli.commands import app
from app.config import Settings
from app.errors import NoSuchWebhook, SetupError, WebhookExists, WebhookSecretUnreadable
from app.http.context import AppContext
from app.main import create_app
from app.models.events.rows import DeliveryRow, EventKind, WebhookRow
from app.services.events.address_guard import SsrfGuard
from app.services.events.deliveries import claim_due, count_deliveries
from app.services.events.dispatcher import WebhookDispatcher, build_dispatcher, replay_deliveries, retry_deliveries
from app.services.events.outbox import append_event
from app.services.events.webhook_keys import (
    WebhookKeys,
    add_webhook,
    open_webhook_keys,
    remove_webhook,
    rotate_secret,
)
from app.services.operations.backup import keys_outside_backups
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import raise_concern
from tests.support.delivery import deliver_due
from tests.support.loops import for_each
from tests.support.receiver import Receiver, Reply

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

NAME = "case-system"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def subscribe(context: AppContext, url: str, name: str = NAME, keys: WebhookKeys | None = None) -> str:
    keys = keys or open_webhook_keys(context.settings)
    return add_webhook(
        context.writer,
        name=name,
        url=url,
        kinds=EventKind,
        guard=SsrfGuard(),
        keys=keys,
        at=context.clock(),
    )


def append(context: AppContext, number: int) -> None:
    data = {"reference": f"number-{number}", "links": {"concern": f"/v1/desk/concerns/number-{number}"}}
    context.writer.run(append_event, kind=EventKind.CONCERN_RECEIVED, at=context.clock(), data=data)


def dispatcher_of(context: AppContext) -> WebhookDispatcher:
    return build_dispatcher(context.settings, context.writer, context.clock)


def stored_secrets(context: AppContext, name: str = NAME) -> list[str]:
    with Session(context.engine) as session:
        return list(session.get_one(WebhookRow, name).secrets)


def deliveries(context: AppContext) -> list[tuple[str, str | None, int]]:
    with Session(context.engine) as session:
        rows = session.exec(select(DeliveryRow).order_by(col(DeliveryRow.event_id)))
        return [(row.state, row.last_answer, row.attempts) for row in rows]


def run(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--data-dir", str(settings.data_dir)])


def bytes_of(folder: Path) -> bytes:
    """Everything that the database's own files hold."""
    return b"".join(path.read_bytes() for path in folder.glob("guidance.db*"))


# Trying, hastening, removing


@pytest.mark.embedded
def test_a_test_notice_is_signed_and_marked_and_leaves_no_delivery(
    context: AppContext, settings: Settings, receiver: Receiver
) -> None:
    secret = subscribe(context, receiver.url)

    done = run(settings, "webhooks", "test", NAME)

    (notice,) = receiver.notices
    body = Webhook(secret).verify(notice.body, notice.headers)
    assert (done.exit_code, done.stdout) == (0, f"{NAME}: accepted (204)\n")
    assert body["type"] == "webhook.test"
    assert body["data"] == {
        "test": True,
        "webhook": NAME,
        "links": {"guides": "/v1/guides"},
        "urls": {"guides": "http://127.0.0.1:8000/v1/guides"},
    }
    assert deliveries(context) == []


@pytest.mark.embedded
@pytest.mark.parametrize(("status", "answer"), [(500, "500"), (302, "302"), (410, "410"), (None, "ConnectError")])
def test_a_test_notice_that_is_not_accepted_says_why_and_changes_nothing(
    context: AppContext, settings: Settings, receiver: Receiver, status: int | None, answer: str
) -> None:
    subscribe(context, receiver.url)
    if status is None:
        receiver.close()
    else:
        receiver.reply = lambda _: Reply(status=status)

    done = run(settings, "webhooks", "test", NAME)

    assert (done.exit_code, done.stdout) == (1, f"{NAME}: not accepted ({answer})\n")
    assert "active" in run(settings, "webhooks", "list").stdout


def test_a_retry_makes_deliveries_due_at_once_except_those_under_way(
    context: AppContext, receiver: Receiver, clock: SettableClock
) -> None:
    subscribe(context, receiver.url)
    receiver.reply = lambda _: Reply(status=503, headers={"Retry-After": "7200"})
    append(context, 1)
    deliver_due(dispatcher_of(context))
    append(context, 2)
    claim = partial(claim_due, webhook=NAME, now=clock.time, lease=dt.timedelta(minutes=1), limit=4)
    under_way = context.writer.run(claim)
    receiver.reply = lambda _: Reply()

    hastened = context.writer.run(retry_deliveries, NAME, now=clock.time)

    assert len(under_way) == 1
    assert hastened == 1
    assert deliver_due(dispatcher_of(context)) == 1
    assert deliveries(context) == [("delivered", "204", 2), ("pending", "under way", 1)]


def test_a_removed_name_can_be_reused_and_gets_no_old_event(context: AppContext, receiver: Receiver) -> None:
    former_secret = subscribe(context, receiver.url)
    append(context, 1)
    deliver_due(dispatcher_of(context))
    receiver.reply = lambda _: Reply(status=500)
    append(context, 2)
    deliver_due(dispatcher_of(context))
    context.writer.run(remove_webhook, NAME, at=A_TUESDAY)
    with Session(context.engine) as session:
        assert count_deliveries(session) == {}  # nothing waits for it, in the metrics either
    another = Receiver()

    secret = subscribe(context, another.url)
    append(context, 3)
    context.writer.run(retry_deliveries, NAME, now=A_TUESDAY)
    context.writer.run(replay_deliveries, NAME, now=A_TUESDAY)
    deliver_due(dispatcher_of(context))
    another.close()

    assert secret != former_secret
    assert [json.loads(notice.body)["data"]["reference"] for notice in another.notices] == ["number-3"]
    assert [state for state, _, _ in deliveries(context)] == ["delivered", "cancelled", "delivered"]


def test_a_name_in_use_and_a_removed_webhook_are_refused(context: AppContext, receiver: Receiver) -> None:
    subscribe(context, receiver.url)
    with pytest.raises(WebhookExists):
        subscribe(context, receiver.url)

    context.writer.run(remove_webhook, NAME, at=A_TUESDAY)

    with pytest.raises(NoSuchWebhook):
        context.writer.run(remove_webhook, NAME, at=A_TUESDAY)
    with pytest.raises(NoSuchWebhook):
        context.writer.run(retry_deliveries, NAME, now=A_TUESDAY)


def test_a_webhook_that_answered_gone_can_be_removed_and_reused(context: AppContext, receiver: Receiver) -> None:
    subscribe(context, receiver.url)
    receiver.reply = lambda _: Reply(status=410)
    append(context, 1)
    deliver_due(dispatcher_of(context))
    with pytest.raises(WebhookExists):
        subscribe(context, receiver.url)

    context.writer.run(remove_webhook, NAME, at=A_TUESDAY)

    assert subscribe(context, receiver.url)


def test_a_notice_has_whole_addresses_beside_its_paths(
    context: AppContext, client: TestClient, receiver: Receiver, settings: Settings
) -> None:
    subscribe(context, receiver.url)
    reference = raise_concern(client)["reference"]
    public = settings.model_copy(update={"public_url": "https://guidance.council.example"})

    deliver_due(build_dispatcher(public, context.writer, context.clock))

    data = json.loads(receiver.notices[0].body)["data"]
    path = f"/v1/desk/concerns/{reference}"
    assert data["links"] == {"concern": path}
    assert data["urls"] == {"concern": f"https://guidance.council.example{path}"}


# Secrets that are encrypted


@pytest.mark.embedded
def test_no_webhook_secret_is_in_the_database_and_its_key_is_private(
    context: AppContext, settings: Settings, receiver: Receiver
) -> None:
    key_file = settings.data_dir / "webhook-key.txt"
    assert not key_file.exists()

    secret = subscribe(context, receiver.url)
    newer = context.writer.run(rotate_secret, NAME, keys=open_webhook_keys(settings), at=A_TUESDAY)

    everything = bytes_of(settings.data_dir)
    for each in (secret, newer, key_file.read_text().splitlines()[-1]):
        assert each.removeprefix("whsec_").encode() not in everything
    assert b"whsec_" not in everything
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert key_file in keys_outside_backups(settings)


def test_the_secret_of_one_webhook_cannot_be_given_to_another(context: AppContext, receiver: Receiver) -> None:
    subscribe(context, receiver.url)
    subscribe(context, receiver.url, name="another")
    keys = open_webhook_keys(context.settings)
    stored = stored_secrets(context)

    assert keys.decrypt_all(NAME, stored)
    with pytest.raises(WebhookSecretUnreadable):
        keys.decrypt_all("another", stored)


@for_each(
    "stored",
    ["", "v1", "v1.x", "v1.00000000.AAAA", "v2.{id}.AAAA", "v1.{id}.", "v1.{id}.AAAA", "v1.{id}.é", "whsec_AAAA"],
)
def test_what_cannot_be_decrypted_is_refused_and_never_signs(tmp_path: Path, stored: str) -> None:
    keys = WebhookKeys(tmp_path / "keys.txt", is_configured=False)
    key_id = keys.encrypt(NAME, "whsec_AAAA").split(".")[1]

    with pytest.raises(WebhookSecretUnreadable):
        keys.decrypt_all(NAME, [stored.format(id=key_id)])


def test_without_the_key_no_delivery_is_claimed_or_counted(
    context: AppContext, settings: Settings, receiver: Receiver, tmp_path: Path
) -> None:
    elsewhere = WebhookKeys(tmp_path / "elsewhere.txt", is_configured=False)
    secret = subscribe(context, receiver.url, keys=elsewhere)
    append(context, 1)
    here = dispatcher_of(context)

    with pytest.raises(WebhookSecretUnreadable):
        deliver_due(here)
    before = deliveries(context)
    (settings.data_dir / "webhook-key.txt").write_bytes((tmp_path / "elsewhere.txt").read_bytes())
    tried = deliver_due(here)  # the key has come: no restart is needed

    assert before == [("pending", None, 0)]
    assert tried == 1
    assert secret.startswith("whsec_")


def test_a_secret_whose_key_is_lost_is_replaced_by_rotating_it(
    context: AppContext, settings: Settings, receiver: Receiver
) -> None:
    subscribe(context, receiver.url)
    (settings.data_dir / "webhook-key.txt").unlink()
    keys = open_webhook_keys(settings)

    secret = context.writer.run(rotate_secret, NAME, keys=keys, at=A_TUESDAY)

    assert keys.decrypt_all(NAME, stored_secrets(context)) == (secret,)


@pytest.mark.embedded
def test_a_rotation_encrypts_every_secret_and_old_backups_open_until_it_finishes(
    context: AppContext, settings: Settings, receiver: Receiver
) -> None:
    secret = subscribe(context, receiver.url)
    append(context, 1)
    serving = dispatcher_of(context)
    deliver_due(serving)
    before = stored_secrets(context)

    rotated = run(settings, "keys", "rotate-webhooks")
    append(context, 2)
    served = deliver_due(serving)  # by a process that was started before
    with_both = open_webhook_keys(settings).decrypt_all(NAME, before)
    finished = run(settings, "keys", "rotate-webhooks", "--finish")

    assert rotated.exit_code == finished.exit_code == 0
    assert "1 webhook is encrypted" in rotated.stdout
    assert served == 1
    assert with_both == (secret,) == open_webhook_keys(settings).decrypt_all(NAME, stored_secrets(context))
    assert stored_secrets(context) != before
    with pytest.raises(WebhookSecretUnreadable):
        open_webhook_keys(settings).decrypt_all(NAME, before)
    assert stat.S_IMODE((settings.data_dir / "webhook-key.txt").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [None, b"", b"# only a comment\n", b"c2hvcnQ=\n", b"\xff\xfe\n"])
def test_a_configured_file_without_a_key_stops_the_start(
    settings: Settings, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "webhook-keys.txt"
    if content is not None:
        path.write_bytes(content)
    configured = settings.model_copy(update={"webhook_key_file": path})

    with pytest.raises(SetupError, match=r"webhook-keys\.txt"), TestClient(create_app(configured)):
        pass


@pytest.mark.embedded
def test_the_command_makes_the_key_file_with_which_every_node_decrypts(
    settings: Settings, clock: SettableClock, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shared.txt"
    monkeypatch.setenv("GUIDANCE_WEBHOOK_KEY_FILE", str(path))
    assert run(settings, "keys", "rotate-webhooks").exit_code == 0
    added = run(settings, "webhooks", "add", NAME, receiver.url, "--event", "concern.received")
    node = settings.model_copy(update={"webhook_key_file": path})

    with TestClient(create_app(node, clock)) as client:
        context: AppContext = client.app.state.context  # type: ignore[attr-defined]  # the service under test
        found = open_webhook_keys(node).decrypt_all(NAME, stored_secrets(context))

    assert found == (added.stdout.strip(),)
    assert not (settings.data_dir / "webhook-key.txt").exists()


def test_two_processes_that_need_the_first_key_at_once_use_one(tmp_path: Path) -> None:
    one, other = (WebhookKeys(tmp_path / "keys.txt", is_configured=False) for _ in range(2))
    one.load()
    other.load()

    stored = one.encrypt(NAME, "whsec_one"), other.encrypt(NAME, "whsec_other")

    assert one.decrypt_all(NAME, stored) == other.decrypt_all(NAME, stored) == ("whsec_one", "whsec_other")
