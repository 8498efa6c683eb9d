"""Publishing and withdrawing over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from app.models.access.clients import Scope
from app.models.guides.editions import EDITION_EXAMPLE
from tests.support.clock import SettableClock
from tests.support.command import guidance
from tests.support.live import LiveServer
from tests.support.publishing import (
    ADDED,
    CONTENT_KEYS,
    GUIDE,
    REMOVED,
    REWORDED,
    SLUG,
    a_key,
    content_of,
    publish,
    second_edition,
)

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

EDITIONS = f"{GUIDE}/editions"
ROUNDS = 10
REASON = "A number was wrong."


def told(answer: Response) -> tuple[int, str]:
    """The status and the kind of problem."""
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


def withdraw(client: TestClient, number: int, headers: dict[str, str], reason: Any = REASON) -> Response:
    return client.post(f"{EDITIONS}/{number}/withdrawal", json={"reason": reason}, headers=headers)


def test_a_second_edition_is_published_and_the_first_stays_as_it_was(client: TestClient) -> None:
    before = client.get(f"{GUIDE}/editions/1").content

    answer = publish(client, second_edition(client), a_key(client, Scope.PUBLISH))

    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{GUIDE}/editions/2"
    assert client.get(GUIDE).json()["edition"] == 2
    assert client.get(f"{GUIDE}/editions/1").content == before


@pytest.mark.parametrize(
    ("if_match", "problem"),
    [
        (None, (428, "precondition-missing")),
        ("W/{now}", (412, "precondition-failed")),
        ("{before}", (412, "precondition-failed")),
        ('"{now}"', (412, "precondition-failed")),
        ("", (412, "precondition-failed")),
    ],
)
def test_the_edition_that_is_followed_must_be_the_current_one(
    client: TestClient, if_match: str | None, problem: tuple[int, str]
) -> None:
    headers = a_key(client, Scope.PUBLISH)
    before = client.get(GUIDE).headers["ETag"]
    publish(client, second_edition(client), headers)
    content = content_of(client) | {"title": "A made-up title"}
    if if_match is not None:
        headers |= {"If-Match": if_match.format(now=client.get(GUIDE).headers["ETag"], before=before)}

    answer = client.post(EDITIONS, json=content, headers=headers)

    assert told(answer) == problem
    assert len(client.get(EDITIONS).json()["editions"]) == 2


@pytest.mark.parametrize("if_match", ["{now}", '"another", {now}', "*"])
def test_if_match_is_read_as_the_standard_says(client: TestClient, if_match: str) -> None:
    named = {"If-Match": if_match.format(now=client.get(GUIDE).headers["ETag"])}

    answer = client.post(EDITIONS, json=second_edition(client), headers=a_key(client, Scope.PUBLISH) | named)

    assert (answer.status_code, answer.json()["edition"]) == (201, 2)


def test_the_first_edition_of_a_new_guide_follows_none(client: TestClient) -> None:
    headers = a_key(client, Scope.PUBLISH)
    path = "/v1/guides/an-example"

    refused = client.post(f"{path}/editions", json=EDITION_EXAMPLE, headers=headers | {"If-Match": '"another"'})
    answer = client.post(f"{path}/editions", json=EDITION_EXAMPLE, headers=headers)

    assert told(refused) == (412, "precondition-failed")
    assert (answer.status_code, answer.json()["edition"], answer.json()["guide"]) == (201, 1, "an-example")
    assert client.get(path).json()["indicators"][1]["text"] == "Something else to consider"


def test_the_same_words_again_change_nothing(client: TestClient, clock: SettableClock) -> None:
    headers = a_key(client, Scope.PUBLISH)
    content = second_edition(client)
    first = publish(client, content, headers)
    before = client.get(EDITIONS).content
    clock.time = clock.time.replace(day=26)

    again = [publish(client, content, headers), client.post(EDITIONS, json=content, headers=headers)]

    assert [answer.status_code for answer in again] == [200, 200]
    assert [answer.json() for answer in again] == [first.json()] * 2
    assert client.get(EDITIONS).content == before


def changed(content: dict[str, Any], section: str, place: int, **fields: Any) -> dict[str, Any]:
    """The content with one item changed."""
    items = [item | fields if at == place else item for at, item in enumerate(content[section])]
    return content | {section: items}


WORDS = "words-that-nobody-else-may-read"
A_CODE = {"scheme": "dfe-assessment-factors", "code": WORDS[:20], "basis": "source"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("section", "place", "fields", "pointer"),
    [
        ("indicators", 2, {"position": 7, "text": WORDS}, "#/indicators/2/position"),
        ("indicators", 2, {"position": WORDS}, "#/indicators/2/position"),
        ("factors", 3, {"position": 0}, "#/factors/3/position"),
        ("indicators", 4, {"id": "secrecy", "text": WORDS}, "#/indicators/4/id"),
        ("linked_risks", 0, {"id": WORDS.upper()}, "#/linked_risks/0/id"),
        ("indicators", 1, {"related_codes": [A_CODE]}, "#/indicators/1/related_codes/0/code"),
        ("factors", 0, {"txet": WORDS}, "#/factors/0"),
        ("factors", 0, {WORDS: "a value"}, "#/factors/0"),
        ("contacts", 0, {"phones": [], "when": WORDS}, "#/contacts/0"),
        ("responsibilities", 0, {"text": ""}, "#/responsibilities/0/text"),
        ("indicators", 0, {"kind": WORDS}, "#/indicators/0/kind"),
        ("cautions", 0, {"text": None}, "#/cautions/0/text"),
    ],
)
def test_a_refusal_points_at_the_field_and_repeats_nothing(
    client: TestClient, section: str, place: int, fields: dict[str, Any], pointer: str
) -> None:
    answer = publish(client, changed(content_of(client), section, place, **fields), a_key(client, Scope.PUBLISH))

    assert told(answer) == (422, "not-accepted")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert WORDS[:20] not in answer.text.lower()
    assert len(client.get(EDITIONS).json()["editions"]) == 1


@pytest.mark.slow
def test_the_second_of_two_publishers_after_one_edition_is_refused(live: LiveServer) -> None:
    def command(*words: str) -> str:
        told = guidance(*words, "--data-dir", live.data_dir)
        assert told.returncode == 0, told.stderr
        return told.stdout

    headers = {
        "Authorization": f"Bearer {command('clients', 'add', 'an-editor', '--scope', 'guidance:publish').strip()}"
    }
    both_ready = Barrier(2)

    def publish_as(words: str) -> int:
        with live.client() as client:
            current = client.get(GUIDE)
            content = {key: current.json()[key] for key in CONTENT_KEYS} | {"change_note": words}
            both_ready.wait()
            return client.post(
                EDITIONS, json=content, headers=headers | {"If-Match": current.headers["ETag"]}
            ).status_code

    with ThreadPoolExecutor(2) as publishers, live.client() as reader:
        rounds = [sorted(publishers.map(publish_as, (f"One's, {at}.", f"Another's, {at}."))) for at in range(ROUNDS)]
        whole = [reader.get(f"{EDITIONS}/{number}").json() for number in range(1, ROUNDS + 2)]
        verified = command("verify").splitlines()

    assert rounds == [[201, 412]] * ROUNDS
    editions = [line for line in verified if ", edition " in line]
    assert editions == [f"{SLUG}, edition {number}: as published" for number in range(1, ROUNDS + 2)]
    assert {len(edition["indicators"]) for edition in whole} == {10}
    assert [edition["change_note"].split(", ")[1] for edition in whole[1:]] == [f"{at}." for at in range(ROUNDS)]


def test_a_withdrawal_needs_a_reason_and_has_one(client: TestClient) -> None:
    headers = a_key(client, Scope.PUBLISH)
    publish(client, second_edition(client), headers)

    without = [withdraw(client, 2, headers, reason) for reason in (None, "", 7)]
    first = withdraw(client, 2, headers)
    again = withdraw(client, 2, headers)
    otherwise = withdraw(client, 2, headers, "Another reason.")

    assert {told(answer) for answer in without} == {(422, "not-accepted")}
    assert {answer.json()["errors"][0]["pointer"] for answer in without} == {"#/reason"}
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert told(otherwise) == (409, "already-withdrawn")
    assert client.get(EDITIONS).json()["editions"][0]["withdrawal"]["reason"] == REASON


def test_only_an_edition_that_there_is_can_be_withdrawn(client: TestClient) -> None:
    headers = a_key(client, Scope.PUBLISH)

    answers = [
        withdraw(client, 2, headers),
        client.post("/v1/guides/no-guide/editions/1/withdrawal", json={"reason": REASON}, headers=headers),
    ]

    assert [told(answer) for answer in answers] == [(404, "no-such-edition"), (404, "no-such-guide")]


def test_reads_of_a_withdrawn_edition_give_the_reason_and_links(client: TestClient) -> None:
    headers = a_key(client, Scope.PUBLISH)
    publish(client, second_edition(client), headers)
    publish(client, content_of(client) | {"title": "A made-up title"}, headers)
    withdraw(client, 2, headers)
    reads = ["/2", "/2/indicators", f"/2/indicators/{ADDED}", "/2/changes", "/2/changes?since=3", "/3/changes?since=2"]

    answers = [client.get(EDITIONS + read) for read in (*reads, "/2.md", "/2.pdf", "/2/indicators.csv")]
    negotiated = {"/2": "text/markdown", "/2/indicators": "text/csv"}
    answers += [client.get(EDITIONS + read, headers={"Accept": form}) for read, form in negotiated.items()]

    assert {told(answer) for answer in answers} == {(410, "edition-withdrawn")}
    assert {answer.json()["detail"] for answer in answers} == {REASON}
    for answer in answers:
        assert answer.json()["links"] == {"version_history": EDITIONS, "latest_version": GUIDE}
        assert answer.headers["Cache-Control"] == "no-store"
    assert client.get(f"{EDITIONS}/3/changes?since=1").status_code == 200


def test_withdrawing_the_current_edition_makes_the_one_before_current(client: TestClient) -> None:
    headers = a_key(client, Scope.PUBLISH)
    reads = [GUIDE, f"{GUIDE}/indicators", "/v1/guides", "/v1/indicators", "/v1/search?q=relationships"]
    before = [client.get(path).json() for path in reads]
    publish(client, second_edition(client), headers)
    between = [client.get(path).json() for path in reads]
    found = client.get("/v1/search?q=invented").json()["results"]

    withdraw(client, 2, headers)

    assert [client.get(path).json() for path in reads] == before
    assert all(one != other for one, other in zip(before, between, strict=True))
    assert [item["item"]["id"] for item in found] == [ADDED]
    assert client.get("/v1/search?q=invented").json()["results"] == []
    history = client.get(EDITIONS).json()["editions"]
    assert [(edition["number"], edition["status"]) for edition in history] == [(2, "withdrawn"), (1, "current")]


def test_a_fully_withdrawn_guide_says_so_until_the_next_edition(client: TestClient) -> None:
    headers = a_key(client, Scope.PUBLISH)
    content = second_edition(client)
    withdraw(client, 1, headers)

    answers = [client.get(path) for path in (GUIDE, f"{GUIDE}/indicators", f"{GUIDE}/indicators/{REWORDED}")]
    lists = [client.get(path).json() for path in ("/v1/guides", "/v1/indicators", "/v1/search?q=secrecy")]
    following = client.post(EDITIONS, json=content, headers=headers)

    assert {(*told(answer), answer.json()["detail"]) for answer in answers} == {(410, "edition-withdrawn", REASON)}
    assert [answer.json()["links"] for answer in answers] == [{"version_history": EDITIONS}] * 3
    beside = ("next_cursor", "links", "signposts")
    assert [entries for each in lists for key, entries in each.items() if key not in beside] == [[]] * 6
    assert (following.status_code, client.get(GUIDE).json()["edition"]) == (201, 2)


def test_publishing_and_withdrawing_never_change_the_bytes_of_edition_one(client: TestClient) -> None:
    headers = a_key(client, Scope.PUBLISH)
    paths = [EDITIONS + below for below in ("/1", "/1/indicators", "/1/contacts", f"/1/indicators/{REMOVED}")]
    before = [(answer.content, answer.headers["ETag"]) for answer in map(client.get, paths)]

    publish(client, second_edition(client), headers)
    publish(client, content_of(client) | {"title": "A made-up title"}, headers)
    publish(client, changed(content_of(client), "indicators", 0, position=9), headers)
    client.post(EDITIONS, json=content_of(client) | {"title": "Another"}, headers=headers)
    withdraw(client, 3, headers)
    withdraw(client, 2, headers)

    assert [(answer.content, answer.headers["ETag"]) for answer in map(client.get, paths)] == before
