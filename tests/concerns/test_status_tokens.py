"""Status tokens: short enough to write down and to read aloud, too many to guess, and the older ones go on working."""

import datetime as dt
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.config import Settings
from app.models.concerns.status_tokens import CROCKFORD, new_status_token, standard_token
from app.models.references import new_reference
from app.services.concerns import receipts
from tests.support.concerns import raise_concern
from tests.support.loops import for_each

pytestmark = pytest.mark.any_database

CODE = "7K3M-9QXT-2W8R-VB5N"
OLDER = "q3J9s0H7m2c5y8e1l4n6p0r3t5v7x9z1b3d5f7h9j1k"
WRONG = "XXXX"
TRIES = 3


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"limit_code_tries": f"{TRIES}/hour"})


def read(client: TestClient, reference: str, token: str) -> Any:
    return client.get(f"/v1/concerns/{reference}", headers={"Authorization": f"Bearer {token}"})


def test_a_token_is_four_groups_of_four_safe_characters() -> None:
    tokens = [new_status_token() for _ in range(200)]

    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}", token) for token in tokens)
    assert set("".join(tokens)) == {*CROCKFORD, "-"}
    assert len(set(tokens)) == len(tokens)


@for_each(
    "typed",
    [CODE, CODE.lower(), CODE.replace("-", ""), CODE.replace("-", " "), "7k3m9qxt 2w8r-vb5n"],
)
def test_case_and_grouping_do_not_matter(typed: str) -> None:
    assert standard_token(typed) == CODE


@for_each(("typed", "digit"), [("O", "0"), ("o", "0"), ("I", "1"), ("l", "1")])
def test_a_letter_that_looks_like_a_digit_is_read_as_one(typed: str, digit: str) -> None:
    assert standard_token(typed + CODE[1:]) == digit + CODE[1:]


@for_each("typed", [OLDER, "", "x", CODE[:-1], f"{CODE}N", "U" + CODE[1:]])
def test_what_is_no_short_token_stays_as_typed(typed: str) -> None:
    assert standard_token(typed) == typed


def test_a_concern_is_followed_with_its_token_as_a_person_types_it(client: TestClient, receipt: dict[str, Any]) -> None:
    token = receipt["status_token"]

    answers = [read(client, receipt["reference"], typed) for typed in (token, token.lower(), token.replace("-", ""))]

    assert [answer.status_code for answer in answers] == [200] * 3


def test_a_token_from_before_goes_on_working(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "new_status_token", lambda: OLDER)
    reference = raise_concern(client)["reference"]

    assert read(client, reference, OLDER).status_code == 200
    assert read(client, reference, OLDER.lower()).status_code == 404


def test_after_too_many_wrong_tokens_wrong_ones_are_refused_for_a_while(
    client: TestClient, receipt: dict[str, Any]
) -> None:
    reference = receipt["reference"]
    wrong = [read(client, reference, new_status_token()) for _ in range(TRIES)]

    refused = read(client, reference, new_status_token())

    assert [answer.status_code for answer in wrong] == [404] * TRIES
    assert refused.status_code == 429
    assert refused.json()["type"] == "/v1/problems/too-often"
    assert "The right code still works" in refused.json()["detail"]
    assert 0 < int(refused.headers["Retry-After"]) <= dt.timedelta(hours=1).total_seconds()
    assert refused.json()["signposts"][0]["phones"][0]["number"] == "999"


@pytest.mark.slow
def test_the_right_token_is_never_refused_however_many_wrong_ones_come(
    client: TestClient, receipt: dict[str, Any]
) -> None:
    reference, token = receipt["reference"], receipt["status_token"]
    headers = {"Authorization": f"Bearer {token}"}
    fields = {"reference": reference, "code": token}
    for _ in range(3 * TRIES):
        read(client, reference, new_status_token())

    answers = [
        read(client, reference, token),
        client.get(f"/v1/concerns/{reference}/messages", headers=headers),
        client.post(
            f"/v1/concerns/{reference}/additions",
            json={"immediate_danger": "yes", "concern": {"narrative": "He is here now."}},
            headers=headers,
        ),
        client.post("/concerns", data=fields),
        client.post("/concerns/additions", data=fields | {"narrative": "He is here now.", "immediate_danger": "yes"}),
        client.post("/concerns/receipt", data={"receipt": receipt["receipt"], "code": token}),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 201, 200, 200, 200]
    assert read(client, reference, new_status_token()).status_code == 429


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/concerns", "/concerns/additions", "/concerns/receipt", "/v1/additions"])
def test_wrong_tokens_count_wherever_they_are_tried(client: TestClient, receipt: dict[str, Any], path: str) -> None:
    reference = receipt["reference"]
    body = {"concern": {"narrative": "The car was red."}}
    fields = {"reference": reference, "receipt": receipt["receipt"], "narrative": "The car was red."}
    for _ in range(TRIES):
        token = new_status_token()
        if path == "/v1/additions":
            headers = {"Authorization": f"Bearer {token}"}
            client.post(f"/v1/concerns/{reference}/additions", json=body, headers=headers)
        else:
            client.post(path, data=fields | {"code": token})

    assert read(client, reference, new_status_token()).status_code == 429


def test_a_faulty_addition_tells_nothing_of_its_token(client: TestClient, receipt: dict[str, Any]) -> None:
    reference, token = receipt["reference"], receipt["status_token"]
    without_words: dict[str, Any] = {}
    of_no_item = {"narrative": "The car was red.", "indicators": [{"id": "no-such-indicator"}]}

    def add(reference: str, token: str, detail: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        answer = client.post(f"/v1/concerns/{reference}/additions", json={"concern": detail}, headers=headers)
        return answer.status_code, [fault["pointer"] for fault in answer.json().get("errors", ())]

    tries = ((reference, token), (reference, WRONG), (new_reference(), token))
    told = [add(of, with_token, without_words) for of, with_token in tries]
    assert told == [(422, ["#/concern/narrative"])] * 3
    assert add(reference, WRONG, of_no_item) == add(new_reference(), token, of_no_item) == (404, [])
    assert add(reference, token, of_no_item) == (422, ["#/concern/indicators/0/id"])


def test_right_tokens_are_not_counted_and_other_concerns_are_not_refused(
    client: TestClient, receipt: dict[str, Any]
) -> None:
    other = raise_concern(client)
    for _ in range(TRIES):
        read(client, receipt["reference"], "wrong")

    answers = [read(client, other["reference"], other["status_token"]) for _ in range(TRIES + 1)]

    assert [answer.status_code for answer in answers] == [200] * (TRIES + 1)


def test_a_concern_that_does_not_exist_refuses_like_one_that_does(client: TestClient) -> None:
    reference = new_reference()

    statuses = [read(client, reference, "wrong").status_code for _ in range(TRIES + 1)]

    assert statuses == [404] * TRIES + [429]


def test_a_refusal_page_says_the_right_code_works_and_who_to_call(client: TestClient, receipt: dict[str, Any]) -> None:
    fields = {"reference": receipt["reference"], "code": "wrong"}
    for _ in range(TRIES):
        client.post("/concerns", data=fields)

    refused = client.post("/concerns", data=fields)

    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "The right code still works" in refused.text
    assert "01225 396312" in refused.text
