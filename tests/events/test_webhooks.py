"""Events by push: signed, tried again under the same id, given up with care, sent nowhere that is not safe."""

import datetime as dt
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import Session
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.testclient import TestClient

from app.config import Settings
from app.db.writer import Writer
from app.errors import AddressNotAllowed
from app.models.access.clients import Scope
from app.models.events.rows import EventKind
from app.services.concerns.deadlines import append_overdue_events
from app.services.events.address_guard import SsrfGuard
from app.services.events.deliveries import DELAYS, count_deliveries
from app.services.events.dispatcher import WebhookDispatcher, build_dispatcher, replay_deliveries
from app.services.events.webhook_keys import (
    WebhookKeys,
    add_webhook,
    drop_old_secret,
    open_webhook_keys,
    rotate_secret,
)
from app.services.events.webhooks import get_webhook
from guidance_client import NotGenuine, check_notice
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import a_concern, raise_concern
from tests.support.delivery import deliver_due
from tests.support.loops import for_each
from tests.support.publishing import a_key
from tests.support.receiver import Notice, Receiver, Reply

pytestmark = pytest.mark.slow

NAME = "case-system"
DAY = dt.timedelta(days=1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def writer(client: TestClient) -> Writer:
    found: Writer = client.app.state.context.writer  # type: ignore[attr-defined]  # the service under test
    return found


@pytest.fixture
def keys(settings: Settings) -> WebhookKeys:
    """The keys that encrypt the secrets of webhooks."""
    return open_webhook_keys(settings)


@pytest.fixture
def secret(writer: Writer, receiver: Receiver, keys: WebhookKeys) -> str:
    """The secret of a webhook that asks for every kind of event."""
    return add_webhook(writer, name=NAME, url=receiver.url, kinds=EventKind, guard=SsrfGuard(), keys=keys, at=A_TUESDAY)


@pytest.fixture
def deliverer(writer: Writer, secret: str, clock: SettableClock, settings: Settings) -> WebhookDispatcher:
    """Delivers to the webhook that has the secret."""
    assert secret
    return build_dispatcher(settings, writer, clock)


def verified(notice: Notice, secret: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the notice's content, checked as a receiver would; the test's clock is not today's."""

    class Then(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]  # any moment will do
            return A_TUESDAY.astimezone(tz)

    monkeypatch.setattr("standardwebhooks.webhooks.datetime", Then)
    return Webhook(secret).verify(notice.body, notice.headers)


def states(client: TestClient) -> dict[str, int]:
    with Session(client.app.state.context.engine) as session:  # type: ignore[attr-defined]  # the service under test
        return {state: count for (_, state), count in count_deliveries(session).items()}


def test_a_notice_is_signed_and_holds_no_word_of_the_concern(
    client: TestClient,
    deliverer: WebhookDispatcher,
    receiver: Receiver,
    secret: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reference = raise_concern(client, concern={"narrative": "Canary-Wren told me."})
    deliver_due(deliverer)

    notice = receiver.notices[0]
    told = verified(notice, secret, monkeypatch)

    assert told["type"] == "concern.received"
    assert told["data"]["reference"] == reference["reference"]
    assert b"Wren" not in notice.body + json.dumps(notice.headers).encode()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(notice.body.replace(b"received", b"rejected"), notice.headers)


def test_the_typed_client_checks_a_notice_with_the_pulled_event_s_id(
    client: TestClient, deliverer: WebhookDispatcher, receiver: Receiver, secret: str
) -> None:
    client.post("/v1/concerns", json=a_concern())
    deliver_due(deliverer)
    notice = receiver.notices[0]

    pulled = client.get("/v1/events", headers=a_key(client, Scope.EVENTS)).json()["events"]

    checked = check_notice(notice.body, notice.headers, secret, now=A_TUESDAY)
    assert [event["id"] for event in pulled if event["type"] == checked["type"] == "concern.received"] == [
        checked["id"]
    ]
    with pytest.raises(NotGenuine):
        check_notice(notice.body.replace(b"received", b"rejected"), notice.headers, secret, now=A_TUESDAY)
    with pytest.raises(NotGenuine):
        check_notice(notice.body, notice.headers, secret, now=A_TUESDAY + DAY)


def test_a_failed_notice_comes_again_later_under_the_same_id(
    client: TestClient, deliverer: WebhookDispatcher, receiver: Receiver, clock: SettableClock
) -> None:
    receiver.reply = lambda count: Reply(status=500 if count == 1 else 204)
    client.post("/v1/concerns", json=a_concern())
    deliver_due(deliverer)
    at_once = deliver_due(deliverer)

    clock.time += dt.timedelta(seconds=DELAYS[0] * 2)
    deliver_due(deliverer)

    assert at_once == 0
    assert [notice.message for notice in receiver.notices] == [receiver.notices[0].message] * 2


def test_retry_after_is_honoured(
    client: TestClient, deliverer: WebhookDispatcher, receiver: Receiver, clock: SettableClock
) -> None:
    receiver.reply = lambda _: Reply(status=503, headers={"Retry-After": "7200"})
    client.post("/v1/concerns", json=a_concern())
    deliver_due(deliverer)

    clock.time += dt.timedelta(seconds=7100)
    too_early = deliver_due(deliverer)
    clock.time += dt.timedelta(seconds=200)
    in_time = deliver_due(deliverer)

    assert (too_early, in_time) == (0, 1)


def test_a_dead_delivery_of_an_absent_receiver_can_be_replayed(
    client: TestClient, deliverer: WebhookDispatcher, receiver: Receiver, clock: SettableClock
) -> None:
    receiver.reply = lambda _: Reply(status=500)
    reference = raise_concern(client)["reference"]
    for _ in DELAYS:
        deliver_due(deliverer)
        clock.time += dt.timedelta(seconds=DELAYS[-1] * 2)
    dead = states(client)
    inbox = client.get("/v1/desk/concerns", headers=a_key(client, Scope.READ)).json()

    receiver.reply = lambda _: Reply()
    revived = deliverer.writer.run(replay_deliveries, NAME, now=clock.time)
    deliver_due(deliverer)

    assert dead["dead"] == 1
    assert revived == 1
    assert "dead" not in states(client)
    assert len({notice.message for notice in receiver.notices if b"concern.received" in notice.body}) == 1
    assert [concern["reference"] for concern in inbox["concerns"]] == [reference]


def test_410_disables_the_address(client: TestClient, deliverer: WebhookDispatcher, receiver: Receiver) -> None:
    receiver.reply = lambda _: Reply(status=410)
    client.post("/v1/concerns", json=a_concern())
    deliver_due(deliverer)
    client.post("/v1/concerns", json=a_concern())

    tried = deliver_due(deliverer)

    disabled = deliverer.writer.run(get_webhook, NAME)
    assert disabled.disabled_because == "it answered 410 Gone"
    assert tried == 0


def test_a_redirect_is_not_followed_nor_a_long_answer_read_whole(
    client: TestClient, deliverer: WebhookDispatcher, receiver: Receiver
) -> None:
    elsewhere = Receiver()
    replies = {1: Reply(status=302, headers={"Location": elsewhere.url}), 2: Reply(status=200, body=b"x" * 5_000_000)}
    receiver.reply = lambda count: replies[count]
    client.post("/v1/concerns", json=a_concern())
    deliver_due(deliverer)
    client.post("/v1/concerns", json=a_concern())
    deliver_due(deliverer)
    elsewhere.close()

    assert elsewhere.notices == []
    assert states(client) == {"pending": 1}  # the redirect is to be tried again; the long answer was a success


def test_while_a_secret_is_replaced_both_sign(
    client: TestClient,
    deliverer: WebhookDispatcher,
    receiver: Receiver,
    secret: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    new = deliverer.writer.run(rotate_secret, NAME, keys=deliverer.keys, at=A_TUESDAY)
    client.post("/v1/concerns", json=a_concern())
    deliver_due(deliverer)
    deliverer.writer.run(drop_old_secret, NAME, at=A_TUESDAY)
    client.post("/v1/concerns", json=a_concern())
    deliver_due(deliverer)

    overlapping, finished = receiver.notices

    assert verified(overlapping, secret, monkeypatch) == verified(overlapping, new, monkeypatch)
    assert verified(finished, new, monkeypatch)
    with pytest.raises(WebhookVerificationError):
        verified(finished, secret, monkeypatch)


def test_an_overdue_concern_is_told_once(
    client: TestClient, deliverer: WebhookDispatcher, receiver: Receiver, clock: SettableClock
) -> None:
    client.post("/v1/concerns", json=a_concern())
    clock.time += 3 * DAY

    for _ in range(3):
        append_overdue_events(deliverer.writer, now=clock(), limit=10)
        deliver_due(deliverer)

    kinds = [json.loads(notice.body)["type"] for notice in receiver.notices]
    of_concerns = sorted(each for each in kinds if each.startswith("concern."))  # a new day may bring a checkpoint too
    assert of_concerns == ["concern.overdue", "concern.received"]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/notices",
        "ftp://hooks.example/notices",
        "https://10.0.0.5/notices",
        "https://192.168.1.1/notices",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/notices",
        "https://[::ffff:10.0.0.5]/notices",
        "https://0.0.0.0/notices",
        "https://name:password@93.184.215.14/notices",
        "not an address",
    ],
)
def test_an_address_that_is_not_safe_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, {"hooks.example": "93.184.215.14"})

    with pytest.raises(AddressNotAllowed):
        SsrfGuard().resolve(url)


def test_a_name_that_later_leads_inside_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, {"hooks.example": "93.184.215.14"})
    before, host = SsrfGuard().resolve("https://hooks.example/notices")
    resolve(monkeypatch, {"hooks.example": "127.0.0.1"})

    with pytest.raises(AddressNotAllowed):
        SsrfGuard().resolve("https://hooks.example/notices")

    assert (str(before), host) == ("https://93.184.215.14/notices", "hooks.example")  # the number judged is called


def test_a_private_address_is_called_if_its_name_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, {"case.council.example": "10.1.2.3"})
    addresses = SsrfGuard(frozenset({"case.council.example"}))

    url, _ = addresses.resolve("https://case.council.example/notices")

    assert url.host == "10.1.2.3"


def resolve(monkeypatch: pytest.MonkeyPatch, names: dict[str, str]) -> None:
    """Have those names resolve so; everything else as it does."""
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> Any:
        return real(names.get(host, host), *args, **kwargs)

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)


INSIDE = [
    "64:ff9b::a9fe:a9fe",  # NAT64
    "64:ff9b:1::a00:5",
    "2002:a00:5::1",  # 6to4
    "2001:0:a00:5::1",  # Teredo
    "::a00:5",  # compatible
    "::ffff:0:a00:5",  # translated
    "fec0::1",
    "fc00::1",
    "ff02::1",
    "ff0e::1",
    "224.0.0.1",
    "239.255.255.250",
    "168.63.129.16",
    "100.100.100.200",
    "255.255.255.255",
]


@for_each("inside", INSIDE)
def test_an_address_that_holds_another_or_means_many_is_refused(inside: str) -> None:
    with pytest.raises(AddressNotAllowed):
        SsrfGuard().resolve(f"https://{f'[{inside}]' if ':' in inside else inside}/notices")


@for_each("outside", ["93.184.215.14", "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]"])
def test_an_address_on_the_open_internet_is_called(outside: str) -> None:
    url, _ = SsrfGuard().resolve(f"https://{outside}/notices")

    assert url.host == outside.strip("[]")
