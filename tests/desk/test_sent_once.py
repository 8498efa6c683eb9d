"""The desk sends each thing once: a retry of the API, of a command or of a form does it no second time."""

import base64
import json
from typing import Any

import httpx
import pyrage
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.age.files import SEED_BYTES, seal_by_seed
from app.config import Settings
from app.extensions.terminal import client
from app.extensions.terminal.client import DeskClient
from app.main import create_app
from app.models.audit.rows import DeskAct
from tests.support.clock import A_TUESDAY
from tests.support.concerns import add, raise_concern
from tests.support.desk import KEY, Desk, acts_on, desk_of, press
from tests.support.loops import for_each
from tests.support.openapi import operations
from tests.support.people import JO, sign_in_as
from tests.support.waiting import LONG_ENOUGH

pytestmark = pytest.mark.slow

BODY = "Example Council"
CANARY = "Canary-Alex-Example"
WITH_KEY = {
    "hand-over": ({"body": BODY, "reason": "The child lives there."}, DeskAct.HANDED_OVER),
    "messages": ({"text": "Which school?"}, DeskAct.MESSAGE_SENT),
    "notes": ({"text": "Spoke to the school."}, DeskAct.NOTED),
}
"""What has an idempotency key, as a form sends it, and its act."""
REPEATABLE: dict[str, dict[str, Any]] = {
    "acknowledgement": {"up_to_addition": 1},
    "additions/1/acknowledgement": {},
    "outcome": {"outcome": "early_help", "shared_with_reporter": True},
    "reopening": {"reason": "Closed by mistake."},
    "hold": {"held": False, "reason": "Court proceedings."},
    "hand-over/1/receipt": {"receipt": "a.b.c"},
    "export": {"file_sha256": "a" * 64, "notes": False},
    "erasure": {"reason": "Requested in writing."},
}
"""What can be done again: it only says the same once more on the record, or is refused."""
OF_A_BURST = "/v1/desk/bursts/{burst}/acknowledgement"
"""What can be done again, and then leaves no further act."""


@pytest.fixture
def neighbour() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def settings(settings: Settings, neighbour: pyrage.x25519.Identity) -> Settings:
    return settings.model_copy(update={"hand_over_bodies": {BODY: str(neighbour.to_public())}})


@pytest.fixture
def receipt(client: TestClient) -> dict[str, Any]:
    receipt = raise_concern(client, concern={"narrative": CANARY})
    add(client, receipt, "Alex Example came home.")
    return receipt


def hand_over(desk: Desk, receipt: dict[str, Any], recipient: str, key: str, **changes: Any) -> Any:
    body = {"recipient": recipient, "body": BODY, "reason": "The child lives there."} | changes
    path = f"/v1/desk/concerns/{receipt['reference']}/hand-over"
    return desk.http.post(path, json=body, headers=desk.headers | {"Idempotency-Key": key})


def acts_of(service: FastAPI, receipt: dict[str, Any]) -> list[str]:
    return [act for act, _, _ in acts_on(service, receipt["reference"])]


def test_a_hand_over_sent_again_gets_the_same_file_and_one_record(
    service: FastAPI, desk: Desk, receipt: dict[str, Any], neighbour: pyrage.x25519.Identity
) -> None:
    to = str(neighbour.to_public())
    first = hand_over(desk, receipt, to, "a-key")
    add(desk.http, receipt, "What came later is not in it.")

    again, other_words = hand_over(desk, receipt, to, "a-key"), hand_over(desk, receipt, to, "a-key", reason="Moved.")
    another_key = hand_over(desk, receipt, to, "another-key")

    package = json.loads(pyrage.decrypt(base64.b64decode(again.json()["package"]), [neighbour]))
    assert package["concern"]["submission"]["concern"]["narrative"] == CANARY
    assert [each.status_code for each in (first, again, other_words, another_key)] == [201, 201, 422, 201]
    assert again.content == first.content
    assert [each.headers.get("Idempotency-Replayed") for each in (first, again)] == [None, "true"]
    assert other_words.json()["type"] == "/v1/problems/key-reused"
    assert another_key.json()["number"] == 2
    assert acts_of(service, receipt).count(DeskAct.HANDED_OVER) == 2


def test_a_hand_over_sealed_elsewhere_is_recorded_once_without_its_words(
    service: FastAPI, desk: Desk, receipt: dict[str, Any], neighbour: pyrage.x25519.Identity
) -> None:
    to = str(neighbour.to_public())
    sent: dict[str, dict[str, Any]] = {"elsewhere": {"package_sha256": "a" * 64, "additions": 1}, "here": {}}
    for key, changes in sent.items():
        assert hand_over(desk, receipt, to, key, **changes).status_code == 201
    desk.act(receipt["reference"], "acknowledgement", up_to_addition=1)
    desk.act(receipt["reference"], "erasure", reason="Requested in writing.")

    again = [hand_over(desk, receipt, to, key, **changes) for key, changes in sent.items()]

    assert [each.status_code for each in again] == [201, 410]
    assert acts_of(service, receipt).count(DeskAct.HANDED_OVER) == 2


@pytest.mark.any_database
@for_each("size", [0, 1, 65535, 65536, 65537, 200_000])
def test_a_file_sealed_by_a_seed_is_always_the_same_and_opens(size: int) -> None:
    identity, seed, words = pyrage.x25519.Identity.generate(), bytes(range(SEED_BYTES)), b"w" * size

    sealed = [seal_by_seed(words, str(identity.to_public()), seed) for _ in range(2)]

    assert pyrage.decrypt(sealed[0], [identity]) == words
    assert sealed[0] == sealed[1]


def test_every_post_of_the_desk_is_idempotent_or_has_a_key(
    client: TestClient, desk: Desk, receipt: dict[str, Any], neighbour: pyrage.x25519.Identity
) -> None:
    base = "/v1/desk/concerns/{reference}/"
    posts = [each for each in operations(client.get("/openapi.json").json()) if each.method == "post"]
    of_concerns = [each for each in posts if each.path.startswith(base)]
    keyed = {
        each.path.removeprefix(base)
        for each in of_concerns
        if any(parameter["name"] == "Idempotency-Key" for parameter in each.definition.get("parameters", []))
    }
    reference = receipt["reference"]
    hand_over(desk, receipt, str(neighbour.to_public()), "a-key")

    for path, body in REPEATABLE.items():
        first, again = (desk.act(reference, path, **body) for _ in range(2))
        assert again.status_code in (first.status_code, 410), path
        assert first.is_success, path
        assert path in ("export", "erasure") or again.json() == first.json(), path

    assert keyed == {*WITH_KEY, "outcome", "additions"}  # the key of an outcome is for the message that it may have
    numbered = {path.replace("/1/", "/{number}/") for path in REPEATABLE}
    assert {each.path.removeprefix(base) for each in of_concerns} == keyed | numbered
    assert [each.path for each in posts if each.path.startswith("/v1/desk/") and each not in of_concerns] == [
        "/v1/desk/concerns",
        OF_A_BURST,
    ]


def test_a_burst_acknowledged_again_gets_the_same_answer_and_no_act(settings: Settings) -> None:
    service = create_app(settings.model_copy(update={"limit_unmarked": "1/day"}), lambda: A_TUESDAY)
    with TestClient(service, client=("192.0.2.7", 50_000)) as client:
        desk = desk_of(service, client)
        _, *marked = (raise_concern(client) for _ in range(3))
        add(client, marked[0], "Alex Example came home.")
        entries = {each["reference"]: each for each in desk.get("/concerns").json()["concerns"]}
        (burst,) = {entries[each["reference"]]["burst"] for each in marked}
        seen = {"references": [each["reference"] for each in marked], "additions_until": A_TUESDAY.isoformat()}

        first, again = (desk.post(OF_A_BURST.removeprefix("/v1/desk").format(burst=burst), seen) for _ in range(2))

        assert [each.status_code for each in (first, again)] == [200, 200]
        assert again.json() == first.json()
        assert [each["additions_waiting"] for each in again.json()["concerns"]] == [0, 0]
        assert [acts_of(service, each).count(DeskAct.ACKNOWLEDGED) for each in marked] == [1, 1]


@pytest.mark.any_database
def test_a_form_pressed_twice_acts_once_and_shows_the_same_page(
    service: FastAPI, client: TestClient, receipt: dict[str, Any]
) -> None:
    client.follow_redirects = False
    sign_in_as(service, client, JO)
    page = client.get(f"/desk/concerns/{receipt['reference']}").text
    keys, seen = set(KEY.findall(page)), "99"

    for path, (fields, act) in WITH_KEY.items():
        first = press(client, receipt["reference"], path, seen=seen, key=next(iter(keys)), **fields)
        client.get(f"/desk/concerns/{receipt['reference']}")  # the browser follows, which opens the concern
        again = press(client, receipt["reference"], path, seen=seen, key=next(iter(keys)), **fields)
        other = press(client, receipt["reference"], path, key=next(iter(keys)), **fields | {"reason": "x", "text": "x"})

        assert (again.status_code, again.text) == (first.status_code, first.text), path
        assert again.headers.get("Location") == first.headers.get("Location"), path
        assert first.status_code in (200, 303), path
        assert acts_of(service, receipt).count(act) == 1
        assert (other.status_code, "with different text" in other.text) == (422, True)
        assert set(KEY.findall(other.text)).isdisjoint(keys)
    assert len(keys) == 1
    assert page.count('name="key"') == len({*WITH_KEY, "label"})


@pytest.mark.any_database
def test_a_command_without_an_answer_sends_again_with_the_same_key(
    service: FastAPI, desk: Desk, receipt: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "WAITS", (0, 0))
    lost = iter([True, True, False])

    def carry(request: httpx.Request) -> httpx.Response:
        answer = desk.http.request(request.method, request.url.path, content=request.content, headers=request.headers)
        if next(lost):
            raise httpx.ReadError("the answer was lost", request=request)
        return httpx.Response(answer.status_code, content=answer.content, headers={"Content-Type": "application/json"})

    transport = httpx.MockTransport(carry)
    with httpx.Client(
        base_url="http://testserver", transport=transport, headers=desk.headers, timeout=LONG_ENOUGH
    ) as http:
        path = f"/v1/desk/concerns/{receipt['reference']}/notes"
        written = DeskClient(http).send_once(path, {"text": "Spoke to the school."})

    assert written["number"] == 1
    assert acts_of(service, receipt).count(DeskAct.NOTED) == 1
