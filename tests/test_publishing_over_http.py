"""Publishing and withdrawing over HTTP."""

from starlette.testclient import TestClient

from app.models.clients import Scope
from tests.conftest import GUIDE, SettableClock
from tests.editions import ADDED, REMOVED, REWORDED, SWAPPED, a_key, content_of, publish, second_edition


def test_a_second_edition_is_published_and_the_first_stays_as_it_was(client: TestClient) -> None:
    before = client.get(f"{GUIDE}/editions/1").content

    answer = publish(client, second_edition(client), a_key(client, Scope.PUBLISH))

    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{GUIDE}/editions/2"
    assert client.get(GUIDE).json()["edition"] == 2
    assert client.get(f"{GUIDE}/editions/1").content == before


def test_changes_name_exactly_the_four_differences(client: TestClient) -> None:
    publish(client, second_edition(client), a_key(client, Scope.PUBLISH))

    changes = client.get(f"{GUIDE}/editions/2/changes?since=1").json()

    assert list(changes["sections"]) == ["indicators"]
    told = changes["sections"]["indicators"]
    assert [item["id"] for item in told["added"]] == [ADDED]
    assert [item["id"] for item in told["removed"]] == [REMOVED]
    assert [item["id"] for item in told["reworded"]] == [REWORDED]
    assert sorted(item["id"] for item in told["moved"]) == sorted(SWAPPED)
    assert changes["fields"] == []


def test_the_words_that_differ_are_told(client: TestClient) -> None:
    publish(client, second_edition(client), a_key(client, Scope.PUBLISH))

    changes = client.get(f"{GUIDE}/editions/2/changes").json()

    words = changes["sections"]["indicators"]["reworded"][0]["words"]
    assert [run["text"] for run in words if run["change"] == "removed"] == ["significant relationships"]
    assert [run["text"] for run in words if run["change"] == "added"] == ["online friends"]


def test_as_of_the_day_before_gives_edition_1(client: TestClient, clock: SettableClock) -> None:
    headers = a_key(client, Scope.PUBLISH)
    clock.time = clock.time.replace(day=26)
    publish(client, second_edition(client), headers)

    answer = client.get(f"{GUIDE}?as_of=2026-11-25", follow_redirects=False)

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{GUIDE}/editions/1"
    assert client.get(f"{GUIDE}?as_of=2026-11-26").json()["edition"] == 2
    assert client.get(f"{GUIDE}?as_of=2026-11-23").status_code == 404


def test_search_finds_printed_words_with_edition_and_cautions(client: TestClient) -> None:
    results = client.get("/v1/search?q=school+absences").json()["results"]

    assert results[0]["item"]["id"] == "missing-or-unexplained-absence"
    assert results[0]["edition"] == 1
    assert len(results[0]["cautions"]) == 2


def test_a_withdrawn_edition_answers_its_reason(client: TestClient) -> None:
    headers = a_key(client, Scope.PUBLISH)
    publish(client, content_of(client) | {"change_note": "A mistake."}, headers)

    answer = client.post(f"{GUIDE}/editions/2/withdrawal", json={"reason": "A number was wrong."}, headers=headers)

    assert answer.status_code == 201
    told = client.get(f"{GUIDE}/editions/2")
    assert told.status_code == 410
    assert told.json()["detail"] == "A number was wrong."
    assert client.get(GUIDE).json()["edition"] == 1
