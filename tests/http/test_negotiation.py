"""Other forms by `Accept`: a caller who prefers one gets it at the path of the JSON, and everybody else gets JSON."""

import re

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.support.loops import for_each
from tests.support.publishing import GUIDE, publish_next

FIRST = f"{GUIDE}/editions/1"
EDITIONS = [GUIDE, FIRST]
PAGES = {GUIDE: f"{GUIDE}.md", FIRST: f"{FIRST}.md"}
JSON = "application/json"


@pytest.mark.slow
@for_each(
    "accept",
    [
        "text/csv",
        "text/*",
        "TEXT/CSV",
        "text/csv;header=present",
        "application/json;q=0.5, text/csv",
        "text/csv; q=0.2, application/json; q=0.1",
        "application/*;q=0.3, text/csv;q=0.4, */*;q=0.9, application/json;q=0.3",
        "text/csv, nonsense, ;;",
    ],
)
@for_each("edition", EDITIONS)
def test_a_caller_who_prefers_csv_gets_it_at_the_json_path(client: TestClient, edition: str, accept: str) -> None:
    answer = client.get(f"{edition}/indicators", headers={"Accept": accept})

    direct = client.get(f"{edition}/indicators.csv")
    assert answer.content == direct.content
    assert answer.headers["ETag"] == direct.headers["ETag"]
    assert answer.headers["Content-Location"] == f"{edition}/indicators.csv"
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"


@pytest.mark.slow
@for_each(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "application/json, text/csv",
        "text/csv, application/json",
        "text/csv;q=0.5, */*",
        "text/csv;q=0",
        "text/csv;q=0.000, application/xml",
        "text/*, text/csv;q=0",
        "image/png",
        "text/markdown",
        "nonsense",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ],
)
def test_json_wins_a_tie_and_answers_what_nobody_offers(client: TestClient, accept: str) -> None:
    answer = client.get(f"{GUIDE}/indicators", headers={"Accept": accept})

    assert answer.headers["Content-Type"] == JSON
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"
    assert "Content-Location" not in answer.headers


def test_a_copy_of_one_form_is_not_taken_for_the_other(client: TestClient) -> None:
    etag = client.get(f"{GUIDE}/indicators").headers["ETag"]

    answer = client.get(f"{GUIDE}/indicators", headers={"If-None-Match": etag, "Accept": "text/csv"})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/csv")


@for_each("accept", ["text/markdown", "text/*", "text/markdown;variant=GFM, application/json;q=0.9"])
@for_each(("json_path", "path"), PAGES.items())
def test_a_caller_who_prefers_markdown_gets_it_at_the_json_path(
    client: TestClient, json_path: str, path: str, accept: str
) -> None:
    answer = client.get(json_path, headers={"Accept": accept})

    assert answer.content == client.get(path).content
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8; variant=CommonMark"
    assert answer.headers["Content-Location"] == path
    assert "Accept" in re.split(", *", answer.headers["Vary"])


@pytest.mark.slow
@for_each("accept", ["*/*", "application/json, text/markdown", "text/html", "text/csv"])
@for_each("json_path", PAGES)
def test_everybody_else_gets_json(client: TestClient, json_path: str, accept: str) -> None:
    answer = client.get(json_path, headers={"Accept": accept})

    assert answer.headers["Content-Type"] == "application/json"
    assert re.split(", *", answer.headers["Vary"]).count("Accept") == 1


@pytest.mark.parametrize("query", ["", "?as_of=2026-11-24"])
def test_a_reader_of_markdown_can_travel_in_time(client: TestClient, service: FastAPI, query: str) -> None:
    publish_next(service, change_note="Another.")
    asked = {"Accept": "text/markdown", "Accept-Datetime": "Tue, 24 Nov 2026 09:30:00 GMT"}

    answer = client.get(GUIDE + query, headers=asked)

    assert [step.status_code for step in answer.history] == [302]
    assert answer.headers["Content-Type"].startswith("text/markdown")
    assert answer.headers["Memento-Datetime"] == "Tue, 24 Nov 2026 09:30:00 GMT"
    assert "Edition: 2" in answer.text  # both were published at that moment; the newer one counts


@pytest.mark.slow
def test_the_log_and_the_metrics_name_the_form_that_was_sent(client: TestClient) -> None:
    client.get(f"{GUIDE}/factors", headers={"Accept": "text/csv"})

    assert 'route="/v1/guides/{guide}/{section}.csv"' in client.get("/metrics").text
