"""A concern from the form to its status: what is accepted, what it is pinned to, and what the reporter is told."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from app.models.concerns.examples import FULL_EXAMPLE, SMALLEST_EXAMPLE
from app.models.concerns.receipts import Receipt
from app.models.guides.edition_keys import EditionKey
from app.services.guides.publishing import withdraw_published
from app.services.workers import stop_workers
from tests.support.clock import A_TUESDAY
from tests.support.concerns import a_concern, raise_concern
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, SLUG, an_edition, publish_next

pytestmark = pytest.mark.slow

RECEIPT_KEYS = [
    "reference",
    "state",
    "received_at",
    "test",
    "acknowledge_by",
    "acknowledge_by_promised",
    "call_from",
    "guide",
    "edition",
    "status_token",
    "receipt",
    "guide_named",
    "come_back_by",
    "signposts",
    "next_steps",
    "contacts",
    "teams",
    "links",
    "also_call",
]
BOTH_DOORS = pytest.mark.parametrize("path", ["/v1/concerns", "/v1/concerns/check"])


@pytest.fixture
def closed_to_strangers(tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(data_dir=tmp_path / "closed", anonymous_concerns=False)
    with TestClient(create_app(settings, lambda: A_TUESDAY)) as client:
        yield client


def withdraw(service: FastAPI, number: int, guide: str = SLUG) -> None:
    key = EditionKey(guide, number)
    service.state.context.writer.run(withdraw_published, key, reason="An invented reason", at=A_TUESDAY)


def faults(answer: Any) -> list[str]:
    """The places that a refusal points to."""
    assert answer.status_code == 422
    assert answer.json()["signposts"][0]["phones"][0]["number"] == "999"
    return [fault["pointer"] for fault in answer.json()["errors"]]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("told", [SMALLEST_EXAMPLE, FULL_EXAMPLE], ids=["smallest", "full"])
def test_the_receipt_has_its_keys_in_order_and_no_cache_keeps_it(client: TestClient, told: dict[str, Any]) -> None:
    answer = client.post("/v1/concerns", json=told)

    receipt = answer.json()
    assert answer.status_code == 201
    assert list(receipt) == RECEIPT_KEYS
    assert answer.headers["Location"] == receipt["links"]["self"] == f"/v1/concerns/{receipt['reference']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert (receipt["state"], receipt["received_at"]) == ("received", "2026-11-24T09:30:00Z")


@pytest.mark.parametrize("example", [SMALLEST_EXAMPLE, FULL_EXAMPLE], ids=["smallest", "full"])
def test_the_receipt_is_byte_for_byte_what_its_model_makes(client: TestClient, example: dict[str, Any]) -> None:
    for _ in range(2):  # the second has its constant members from the first
        received = client.post("/v1/concerns", json=example)

        assert Receipt.model_validate_json(received.content).model_dump_json().encode() == received.content


def test_a_receipt_has_the_current_edition_s_contacts_for_every_edition(client: TestClient, service: FastAPI) -> None:
    first = raise_concern(client)
    publish_next(service, contacts=an_edition().contacts[:1])

    second, again = (raise_concern(client, edition=number) for number in (2, 1))

    assert len(first["contacts"]) > 1
    assert second["contacts"] == again["contacts"] == first["contacts"][:1]
    assert (second["edition"], again["edition"]) == (2, 1)


def test_the_receipt_gives_999_the_contacts_and_says_nobody_has_read_it(client: TestClient) -> None:
    receipt = raise_concern(client)

    assert "999" in receipt["next_steps"][0]
    assert "A social worker has not read it yet" in " ".join(receipt["next_steps"])
    assert receipt["signposts"] == client.get("/v1/signposts").json()["signposts"]
    assert receipt["signposts"][0]["phones"][0]["number"] == "999"
    assert receipt["contacts"] == client.get(f"{GUIDE}/contacts").json()["contacts"]


@pytest.mark.parametrize("danger", ["yes", "no", "not_sure"])
def test_a_concern_without_indicators_is_told_the_same_as_one_with_many(client: TestClient, danger: str) -> None:
    many = FULL_EXAMPLE | {"immediate_danger": danger, "reporter": SMALLEST_EXAMPLE["reporter"]}

    with_many, with_none = (
        client.post("/v1/concerns", json=told).json()
        for told in (many, SMALLEST_EXAMPLE | {"immediate_danger": danger, "guide": SLUG})
    )

    own = {"reference", "status_token", "receipt", "links"}
    assert {key: with_many[key] for key in RECEIPT_KEYS if key not in own} == {
        key: with_none[key] for key in RECEIPT_KEYS if key not in own
    }


@BOTH_DOORS
def test_a_concern_is_pinned_to_the_edition_it_names_or_the_current(
    client: TestClient, service: FastAPI, path: str
) -> None:
    publish_next(service, change_note="A test's second edition.")

    unnamed, named = (client.post(path, json=a_concern(**named)).json() for named in ({}, {"edition": 1}))

    assert (unnamed["guide"], unnamed["edition"]) == (SLUG, 2)
    assert (named["guide"], named["edition"]) == (SLUG, 1)
    assert named["links"]["edition"] == f"{GUIDE}/editions/1"


@BOTH_DOORS
def test_a_withdrawn_edition_is_accepted_if_named_and_never_the_default(
    client: TestClient, service: FastAPI, path: str
) -> None:
    publish_next(service, change_note="A test's second edition.")
    withdraw(service, 2)

    named, unnamed = (client.post(path, json=a_concern(**named)) for named in ({"edition": 2}, {}))

    assert named.is_success
    assert (named.json()["edition"], unnamed.json()["edition"]) == (2, 1)


@BOTH_DOORS
def test_nobody_is_stopped_because_every_edition_of_the_only_guide_is_withdrawn(
    client: TestClient, service: FastAPI, path: str
) -> None:
    withdraw(service, 1)

    answer = client.post(path, json=a_concern())

    assert answer.is_success
    assert answer.json()["edition"] == 1


@pytest.mark.slow
@BOTH_DOORS
@for_each(
    ("named", "place"),
    [
        ({"guide": "no-such-guide"}, "#/guide"),
        ({"guide": "No Such Guide"}, "#/guide"),
        ({"guide": "no-such-guide", "edition": 1}, "#/guide"),
        ({"edition": 2}, "#/edition"),
        ({"edition": 0}, "#/edition"),
        ({"edition": 10**30}, "#/edition"),
        ({"edition": "1"}, "#/edition"),
    ],
)
def test_a_guide_or_edition_that_there_is_not_is_pointed_to(
    client: TestClient, named: dict[str, Any], place: str, path: str
) -> None:
    answer = client.post(path, json=a_concern(**named), headers={"Idempotency-Key": "a-key"})

    assert faults(answer) == [place]


@BOTH_DOORS
def test_every_unknown_id_and_code_is_pointed_to_at_once(
    client: TestClient, kept: Callable[[], int], path: str
) -> None:
    known = {"id": "self-harm-or-emotional-change"}
    told = a_concern(
        reporter={"kind": "professional", "source_code": "9Z"},
        children=[{"sex": "U"}, {"sex": "Z", "ethnicity": "wbri", "disabilities": ["HEAR", "MISSPELT"]}],
        informed_and_basis={"lawful_basis": "because", "reasons_parents_not_told": ["other", "because"]},
        concern={
            "narrative": "Alex told me.",
            "indicators": [known, {"id": "no-such-indicator"}],
            "factors": [known],
            "linked_risks": [{"id": "no-such-risk"}],
        },
    )

    places = faults(client.post(path, json=told))

    assert set(places) >= {
        "#/reporter/source_code",
        "#/children/1/sex",
        "#/children/1/ethnicity",
        "#/children/1/disabilities/1",
        "#/informed_and_basis/lawful_basis",
        "#/informed_and_basis/reasons_parents_not_told/1",
        "#/concern/indicators/1/id",
        "#/concern/factors/0/id",
        "#/concern/linked_risks/0/id",
    }
    assert not {"#/concern/indicators/0/id", "#/children/0/sex", "#/children/1/disabilities/0"} & set(places)
    assert kept() == 0


def test_an_id_is_looked_up_in_the_edition_that_the_concern_names(client: TestClient, service: FastAPI) -> None:
    indicators = client.get(f"{GUIDE}/indicators").json()["indicators"]
    gone = indicators.pop()["id"]
    publish_next(service, change_note="A test's second edition.", indicators=indicators)
    seen = {"narrative": "Alex told me.", "indicators": [{"id": gone}]}

    now, then = (client.post("/v1/concerns", json=a_concern(concern=seen, edition=edition)) for edition in (2, 1))

    assert faults(now) == ["#/concern/indicators/0/id"]
    assert then.status_code == 201


def test_a_check_answers_as_a_submission_would_and_keeps_nothing(
    service: FastAPI, client: TestClient, settings: Settings, kept: Callable[[], int]
) -> None:
    stop_workers(service.state.context.workers)  # they write in their own time

    def files() -> dict[str, bytes]:
        # the index of the write-ahead log (-shm) holds places in it and locks of readers, and no words
        return {path.name: path.read_bytes() for path in settings.data_dir.iterdir() if path.suffix != ".db-shm"}

    before = files()

    answer = client.post("/v1/concerns/check", json=FULL_EXAMPLE)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert list(answer.json()) == [
        "acknowledge_by",
        "acknowledge_by_promised",
        "call_from",
        "guide",
        "edition",
        *RECEIPT_KEYS[RECEIPT_KEYS.index("guide_named") :],
        "kept",
    ]
    assert answer.json()["kept"] is False
    assert files() == before
    assert kept() == 0


@BOTH_DOORS
def test_strangers_who_may_not_submit_are_told_who_to_call(closed_to_strangers: TestClient, path: str) -> None:
    answer = closed_to_strangers.post(path, json=a_concern())

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["signposts"][0]["phones"][0]["number"] == "999"
    assert answer.json()["contacts"]


def test_the_status_shows_the_token_s_holder_the_state_of_the_concern(client: TestClient) -> None:
    receipt = raise_concern(client)

    answer = client.get(receipt["links"]["self"], headers=bearer(receipt["status_token"]))

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    told_before = {"reference", "state", "received_at", "acknowledge_by", "guide", "edition", "signposts", "contacts"}
    assert {key: answer.json()[key] for key in told_before} == {key: receipt[key] for key in told_before}
    assert not {"status_token", "receipt"} & set(answer.json())
    assert "Alex" not in answer.text


def test_a_wrong_token_and_a_wrong_reference_get_the_same_answer(client: TestClient) -> None:
    mine, other = (raise_concern(client) for _ in range(2))
    tries = [
        (mine["reference"], other["status_token"]),
        (mine["reference"], mine["status_token"][:-1]),
        (mine["reference"], mine["status_token"] + "x"),
        ("0000-0000-0006", mine["status_token"]),
        (mine["reference"][:-1] + ("0" if mine["reference"][-1] != "0" else "2"), mine["status_token"]),
        ("nonsense", mine["status_token"]),
        ("'; DROP TABLE concerns; --", mine["status_token"]),
    ]

    answers = [client.get(f"/v1/concerns/{reference}", headers=bearer(token)) for reference, token in tries]

    bodies = [{key: value for key, value in answer.json().items() if key != "instance"} for answer in answers]
    headers = [{name: value for name, value in answer.headers.items() if name != "x-request-id"} for answer in answers]
    assert [answer.status_code for answer in answers] == [404] * len(tries)
    assert bodies == [bodies[0]] * len(tries)
    assert headers == [headers[0]] * len(tries)
    assert bodies[0]["signposts"][0]["phones"][0]["number"] == "999"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic QWxleDpFeGFtcGxl"}, {"Authorization": "Bearer"}])
def test_without_a_token_the_status_tells_nothing(client: TestClient, headers: dict[str, str]) -> None:
    receipt = raise_concern(client)

    answer = client.get(receipt["links"]["self"], headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "state" not in answer.json()


def test_the_reference_may_be_typed_as_it_was_heard(client: TestClient) -> None:
    receipts = [raise_concern(client) for _ in range(3)]

    for receipt in receipts:
        reference = receipt["reference"]
        for typed in (
            reference.lower(),
            reference.replace("-", " "),
            reference.replace("-", ""),
            reference.replace("0", "o"),
        ):
            answer = client.get(f"/v1/concerns/{typed}", headers=bearer(receipt["status_token"]))
            assert answer.json()["reference"] == reference
