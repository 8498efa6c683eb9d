"""Sections as CSV: by RFC 4180, safe to open, and never without edition and cautions."""

import csv
import io
import re
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.guides.sections import Section
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, an_edition, publish_next

pytestmark = pytest.mark.any_database

FIRST = f"{GUIDE}/editions/1"
SECTIONS = [section.value for section in Section]
EDITIONS = [GUIDE, FIRST]
RUN = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20", " =", "\u00a0=", " \u3000\uff1d")
"""The beginnings of what a spreadsheet would run."""
KEPT_BY_304 = ("ETag", "Cache-Control", "Link", "Content-Disposition")

Rows = list[dict[str, str]]


def rows_of(client: TestClient, path: str) -> Rows:
    text = client.get(path).content.decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def publish_an_indicator(service: FastAPI, **words: Any) -> None:
    first, *others = [indicator.model_dump() for indicator in an_edition().indicators]
    publish_next(service, indicators=[first | words, *others])


@pytest.mark.slow
@for_each("edition", EDITIONS)
@for_each("section", SECTIONS)
def test_every_item_of_a_section_is_a_row_with_edition_and_cautions(
    client: TestClient, edition: str, section: str
) -> None:
    answer = client.get(f"{edition}/{section}").json()
    cautions = [caution["text"] for caution in answer["cautions"]]
    items = answer[section.replace("-", "_")]

    rows = rows_of(client, f"{edition}/{section}.csv")

    assert [row["id"] for row in rows] == [item["id"] for item in items]
    assert [row.get("text") for row in rows] == [item.get("text") for item in items]
    for row in rows:
        assert (row["guide"], row["edition"], row["digest"]) == (answer["guide"], "1", answer["digest"])
        assert [row["caution_1"], row["caution_2"]] == cautions


@for_each("section", SECTIONS)
def test_a_table_is_csv_by_rfc_4180_with_a_header_row(client: TestClient, section: str) -> None:
    answer = client.get(f"{GUIDE}/{section}.csv")

    text = answer.content.decode("utf-8")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert text.startswith("guide,edition,digest,id,")
    lengths = {len(row) for row in csv.reader(io.StringIO(text, newline=""), strict=True)}
    assert len(lengths) == 1


def test_commas_quotes_and_line_breaks_stay_as_published(client: TestClient, service: FastAPI) -> None:
    words = 'One, "two"\nand ‘three’'
    publish_an_indicator(service, text=words)

    rows = rows_of(client, f"{GUIDE}/indicators.csv")

    assert rows[0]["text"] == words


def test_a_cell_that_a_spreadsheet_would_run_has_an_apostrophe_before_it(client: TestClient, service: FastAPI) -> None:
    texts = [f'{beginning}HYPERLINK("https://council.example")' for beginning in RUN]
    sign = an_edition().indicators[0].model_dump()
    signs = [
        sign | {"id": f"sign-{place}", "position": place, "text": text, "note": text}
        for place, text in enumerate([*texts, "Harmless"], start=1)
    ]
    publish_next(service, indicators=signs)

    rows = rows_of(client, f"{GUIDE}/indicators.csv")

    assert [(row["text"], row["note"]) for row in rows] == [
        *((f"'{text}", f"'{text}") for text in texts),
        ("Harmless", "Harmless"),
    ]


def test_no_cell_of_the_shipped_guide_would_be_run_by_a_spreadsheet(client: TestClient) -> None:
    cells = [cell for section in SECTIONS for row in rows_of(client, f"{GUIDE}/{section}.csv") for cell in row.values()]

    assert len(cells) > 300
    assert [cell for cell in cells if cell[:1] in set("=+-@\t\r'")] == []


def test_codes_are_told_with_their_scheme_and_with_who_linked_them(client: TestClient) -> None:
    row = next(
        row for row in rows_of(client, f"{GUIDE}/linked-risks.csv") if row["id"] == "domestic-abuse-and-violence"
    )

    assert row["related_codes"] == "dfe-assessment-factors:3A; dfe-assessment-factors:3B"
    assert row["related_codes_basis"] == "project_inference; project_inference"


def test_telephone_numbers_are_given_as_printed_in_full_and_with_options(client: TestClient) -> None:
    telephone, web, _ = rows_of(client, f"{GUIDE}/contacts.csv")

    assert telephone["phones"] == "01225 396312 (+441225396312), option 1; 396313 (+441225396313), option 1"
    assert telephone["url"] == telephone["verified_on"] == ""
    assert web["url"].startswith("https://www.bathnes.gov.uk/")


def test_limbs_and_source_of_a_definition_have_columns_of_their_own(client: TestClient) -> None:
    local, statutory = rows_of(client, f"{GUIDE}/definitions.csv")

    assert statutory["limbs"].startswith("(a) in exchange for something the victim needs or wants; (b) for ")
    assert statutory["source_publisher"] == "Department of Education"
    assert statutory["source_url"].startswith("https://www.gov.uk/")
    assert local["limbs"] == local["source_title"] == local["source_url"] == ""


def test_a_section_without_items_has_its_header_row(client: TestClient, service: FastAPI) -> None:
    before = client.get(f"{GUIDE}/linked-risks.csv").text.splitlines()[0]

    publish_next(service, linked_risks=())

    assert client.get(f"{GUIDE}/linked-risks.csv").text == f"{before}\r\n"


def test_a_table_has_a_file_name_with_guide_edition_and_section(client: TestClient) -> None:
    disposition = client.get(f"{FIRST}/linked-risks.csv").headers["Content-Disposition"]

    assert disposition == 'inline; filename="child-sexual-exploitation-1-linked-risks.csv"'


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_table_is_cached_like_the_json_with_its_own_etag(client: TestClient, edition: str) -> None:
    in_json, in_csv = client.get(f"{edition}/factors"), client.get(f"{edition}/factors.csv")

    again = client.get(f"{edition}/factors.csv", headers={"If-None-Match": in_csv.headers["ETag"]})

    assert in_csv.headers["Cache-Control"] == in_json.headers["Cache-Control"]
    assert in_csv.headers["ETag"] != in_json.headers["ETag"]
    assert (again.status_code, again.content) == (304, b"")
    assert [again.headers[name] for name in KEPT_BY_304] == [in_csv.headers[name] for name in KEPT_BY_304]


def test_head_has_the_headers_of_a_table_without_its_body(client: TestClient) -> None:
    head, get = client.head(f"{GUIDE}/factors.csv"), client.get(f"{GUIDE}/factors.csv")

    assert head.content == b""
    assert {name: head.headers[name] for name in ("ETag", "Content-Type")} == {
        name: get.headers[name] for name in ("ETag", "Content-Type")
    }


def test_the_json_leads_to_the_csv(client: TestClient) -> None:
    answer = client.get(f"{FIRST}/linked-risks")

    path = answer.json()["links"]["csv"]
    assert client.get(path).status_code == 200
    assert f'<{path}>; rel="alternate"; type="text/csv"' in answer.headers["Link"]


def test_a_table_links_to_its_section_in_other_editions(client: TestClient, service: FastAPI) -> None:
    publish_next(service, change_note="Another.")

    header = client.get(f"{GUIDE}/editions/2/factors.csv").headers["Link"]

    links = {relation: path for path, relation in re.findall(r'<([^>]+)>; rel="([^"]+)"', header)}
    assert links["self"] == f"{GUIDE}/editions/2/factors.csv"
    assert links["predecessor-version"] == f"{FIRST}/factors.csv"
    assert links["latest-version"] == f"{GUIDE}/factors.csv"


@for_each(
    ("path", "kind"),
    [
        ("/v1/guides/no-such-guide/factors.csv", "no-such-guide"),
        (f"{GUIDE}/editions/9/factors.csv", "no-such-edition"),
        (f"{GUIDE}/editions/nine/factors.csv", "not-found"),
        (f"{GUIDE}/no-such-section.csv", "not-found"),
        (f"{GUIDE}/cautions.csv", "not-found"),
        (f"{GUIDE}/factors.csv?guide=other", "unknown-query"),
    ],
)
def test_a_missing_read_gives_the_usual_problem(client: TestClient, path: str, kind: str) -> None:
    answer = client.get(path)

    assert answer.json()["type"] == f"/v1/problems/{kind}"
