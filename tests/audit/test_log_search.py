"""The audit log answers: who read what between two days, newest first, by the API, the page and CSV."""

import csv
import datetime as dt
import html
import io
import re
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from starlette.testclient import TestClient

from app.config import Settings
from app.models.access.clients import Scope
from app.models.access.roles import Role
from tests.support.clock import SettableClock
from tests.support.concerns import raise_concern
from tests.support.databases import drop_triggers, on_postgresql, raw_connection
from tests.support.desk import Desk, acts_on, text_of, worker_of
from tests.support.people import sign_in_as

A_DAY = dt.timedelta(days=1)
SAM, ROBIN = "Sam Example", "Robin Example"
DAYS = "from=2026-11-25&to=2026-11-26"


@pytest.fixture
def read_by_robin(service: FastAPI, client: TestClient, clock: SettableClock) -> list[str]:
    """Four concerns: Robin opened the first one the day before, the second and third between, and saw all as cards."""
    references = [raise_concern(client)["reference"] for _ in range(4)]
    robin, sam = worker_of(service, client, ROBIN), worker_of(service, client, SAM)
    robin.get(f"/concerns/{references[0]}")
    clock.time += A_DAY
    for reference in (references[1], references[1], references[2]):
        assert robin.get(f"/concerns/{reference}").status_code == 200
    assert robin.get("/cards").status_code == 200
    assert sam.get(f"/concerns/{references[3]}").status_code == 200
    clock.time += 2 * A_DAY
    robin.get(f"/concerns/{references[3]}")
    return references


def lead(service: FastAPI) -> TestClient:
    browser = TestClient(service, follow_redirects=False)
    sign_in_as(service, browser, "Lee Example", Role.LEAD)
    return browser


@pytest.mark.slow
def test_the_log_names_each_concern_that_a_person_read_between_two_days(
    service: FastAPI, client: TestClient, desk: Desk, clock: SettableClock
) -> None:
    references = [raise_concern(client)["reference"] for _ in range(23)]
    robin, sam = worker_of(service, client, ROBIN), worker_of(service, client, SAM)
    opened, only_as_cards = references[:19], references[19:]
    readings = [(robin, only_as_cards[:1]), (robin, opened), (sam, only_as_cards[1:2]), (robin, only_as_cards[2:])]
    for days, (reader, chosen) in zip((1, 0, 2, 0), readings, strict=True):
        for reference in chosen:
            assert reader.get(f"/concerns/{reference}").status_code == 200
        if chosen == opened:
            assert robin.get("/cards").status_code == 200
        clock.time += days * A_DAY
    question = f"person=Robin+Example&{DAYS}"

    answer = desk.get(f"/disclosures?{question}&order=newest").json()["disclosures"]
    sheet = list(csv.DictReader(io.StringIO(desk.get(f"/disclosures.csv?{question}").text)))
    page = lead(service).get(f"/desk/record?{question}")

    read = [(row["act"], row["chain"]) for row in answer]
    assert read == [("cards_given", "cards"), *(("opened", reference) for reference in opened[::-1])]
    assert [(row["act"], row["chain"], row["person"]) for row in sheet] == [(*each, ROBIN) for each in read[::-1]]
    words = text_of(page)
    assert f"{ROBIN}: opened 19, seen in lists only 4" in words
    assert "19 concerns opened, 23 concerns seen in lists, with names" in words
    assert all(reference in words for reference in references)
    assert SAM not in page.text.partition("</form>")[2].partition("<table")[2]


@pytest.mark.slow
def test_an_altered_entry_of_cards_stays_on_the_page_and_stops_no_search(
    service: FastAPI, client: TestClient, settings: Settings
) -> None:
    raise_concern(client)
    assert worker_of(service, client, ROBIN).get("/cards").status_code == 200
    with raw_connection(settings.data_dir) as database:
        drop_triggers(database)
        database.execute("UPDATE audit_entries SET detail = '{\"altered\":true}' WHERE act = 'cards_given'")

    page = lead(service).get("/desk/record?person=Robin+Example")

    assert page.status_code == 200
    assert '{"altered":true}' in text_of(page)


@pytest.mark.slow
@pytest.mark.usefixtures("read_by_robin")
def test_the_reporter_of_many_concerns_hides_nobody_on_the_page(service: FastAPI) -> None:
    browser = lead(service)

    assert "Received" not in text_of(browser.get("/desk/record")).partition("When")[2]
    assert "Received" in text_of(browser.get("/desk/record?received=yes")).partition("When")[2]
    assert "Received" in text_of(browser.get("/desk/record?act=received")).partition("When")[2]


@pytest.mark.slow
@pytest.mark.usefixtures("read_by_robin")
def test_a_kept_question_moves_on_with_the_days(service: FastAPI, clock: SettableClock) -> None:
    page = lead(service).get(f"/desk/record?person=Robin+Example&{DAYS}")
    kept = [html.unescape(each) for each in re.findall(r'href="([^"]*days=[^"]*)"', page.text)]
    clock.time += 6 * A_DAY
    asked = lead(service).get(kept[0])
    clock.time += 7 * A_DAY
    later = [lead(service).get(each) for each in kept]

    assert kept == [f"/desk/record?person=Robin+Example&from=&to=&days={days}" for days in (7, 31)]
    assert [f"{ROBIN}: opened" in text_of(each) for each in (asked, *later)] == [True, True, True]
    assert ["Nothing in the audit log" in text_of(each) for each in (asked, *later)] == [False, True, False]
    assert lead(service).get("/desk/record?days=0").status_code == 400


@pytest.mark.parametrize(
    ("parameter", "word", "sentence"),
    [
        ("person", "Jo Nobody", "The audit log has nobody of this name."),
        ("chain", "Robin", "This is neither the reference of a concern nor a list"),
        ("chain", "4F7K-926W-0X37", "No concern has this reference."),
        ("to", "2026-11-31", "Must be a full date such as 2026-11-24."),
    ],
)
def test_an_unknown_word_is_an_error_and_not_an_empty_answer(
    service: FastAPI, desk: Desk, parameter: str, word: str, sentence: str
) -> None:
    before = acts_on(service, "audit")

    answer = desk.get(f"/disclosures?{parameter}={word}")
    page = lead(service).get(f"/desk/record?{parameter}={word}")

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    (fault,) = answer.json()["errors"]
    assert (fault["source"], fault["parameter"], fault["detail"].startswith(sentence)) == ("query", parameter, True)
    assert page.status_code == 400
    assert f'id="fault-{parameter}">{sentence}' in page.text
    assert acts_on(service, "audit") == before


@pytest.mark.slow
@pytest.mark.usefixtures("read_by_robin")
def test_a_worker_reads_only_their_own_entries(service: FastAPI, client: TestClient) -> None:
    browser, chris = (
        TestClient(service, follow_redirects=False),
        worker_of(service, client, "Chris Example", Scope.SUBMIT),
    )
    sign_in_as(service, browser, ROBIN)

    chris.get("/own-disclosures")
    own = chris.get("/own-disclosures?order=newest").json()["disclosures"]
    page, sheet = browser.get("/desk/record"), browser.get("/desk/record.csv")

    assert {row["client"] for row in own} >= {"desk-of-chris/Chris Example"}
    assert {row["client"].partition("/")[2] for row in own} == {"Chris Example"}
    assert {row["person"] for row in csv.DictReader(io.StringIO(sheet.text))} == {ROBIN}
    assert ROBIN in page.text
    assert SAM not in page.text
    refused = [f"/desk/record?person={SAM}", f"/desk/record.csv?person={SAM}", "/desk/people"]
    assert [browser.get(path).status_code for path in refused] == [403, 403, 403]
    assert chris.get(f"/own-disclosures?person={ROBIN}").status_code == 400


@pytest.mark.slow
@pytest.mark.usefixtures("read_by_robin")
@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_pages_of_the_log_repeat_and_leave_out_nothing(desk: Desk, order: str) -> None:
    found: list[Any] = []
    path = f"/disclosures?{DAYS}&order={order}&limit=2"
    while path:
        answer = desk.get(path).json()
        found += answer["disclosures"]
        path = answer["links"].get("next", "").removeprefix("/v1/desk")

    whole = desk.get(f"/disclosures?{DAYS}&order={order}").json()["disclosures"]
    assert [row["sha256"] for row in found] == [row["sha256"] for row in whole]
    assert [row["at"] for row in whole] == sorted((row["at"] for row in whole), reverse=order == "newest")


@pytest.mark.slow
@pytest.mark.usefixtures("read_by_robin")
def test_no_question_to_the_log_reads_the_whole_log(
    service: FastAPI, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    if on_postgresql():
        pytest.skip("its planner reads a small table whole")
    engine = service.state.context.engine
    plans: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH")) and "audit_entries" in statement:
            plan = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            plans.extend(row[3] for row in plan)

    for _ in range(3):
        assert desk.get("/concerns").status_code == 200
    monkeypatch.setattr("app.services.audit.log_search.SHORT_CHAIN", 2)
    event.listen(engine, "before_cursor_execute", explain)
    for question in ("person=Robin Example", f"act=opened&{DAYS}", "received=false", "chain=inbox"):
        assert desk.get(f"/disclosures?order=newest&{question}").status_code == 200
    event.remove(engine, "before_cursor_execute", explain)

    slow = [each for each in plans if "TEMP B-TREE" in each or (each.startswith("SCAN audit") and "INDEX" not in each)]
    assert (slow, len(plans) > 10) == ([], True)
