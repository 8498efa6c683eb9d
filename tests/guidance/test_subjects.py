"""Subjects from one list: in the catalogue, on the home page and as a filter, with codes only where they are known."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import SEED_DIR
from app.models.base import digest_of
from app.models.code_lists import CodeList
from app.models.edition_files import read_edition_file
from app.models.seed_files import read_seed_file
from tests.support.publishing import EXAMPLES, SLUG, an_edition, publish_next

pytestmark = pytest.mark.any_database

SUBJECTS = read_seed_file(Path(SEED_DIR) / "code-lists" / "subject.yaml", CodeList)
FACTORS = read_seed_file(Path(SEED_DIR) / "code-lists" / "dfe-assessment-factors.yaml", CodeList)
KNOWN_LGSL_CODES = {"education_at_home": 1, "missing_school": 35}


def names(client: TestClient, path: str) -> list[str]:
    found = client.get(path).json()
    key = next(name for name in found if name != "next_cursor")
    return [each["guide"] for each in found[key]]


def test_the_list_names_codes_of_other_lists_that_exist_and_no_made_up_ones() -> None:
    named = {factor for code in SUBJECTS.codes for factor in code.assessment_factors}

    assert named <= {code.code for code in FACTORS.codes}
    assert {code.code: code.lgsl_code for code in SUBJECTS.codes if code.lgsl_code is not None} == KNOWN_LGSL_CODES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_each_example_says_what_it_is_about(path: Path) -> None:
    subjects = read_edition_file(path).content.subjects

    assert subjects
    assert set(subjects) <= {code.code for code in SUBJECTS.codes}


def test_the_shipped_guide_has_its_subject_by_its_related_code_and_its_digest_stays(client: TestClient) -> None:
    (guide,) = client.get("/v1/guides").json()["guides"]

    assert an_edition().subjects == ()
    assert guide["digest"] == digest_of(an_edition())
    assert guide["subjects"] == [
        {"code": "child_sexual_exploitation", "label": "Child sexual exploitation", "lgsl_code": None}
    ]
    assert "Child sexual exploitation</p>" in client.get("/").text


def test_guides_are_found_by_subject_in_the_catalogue_and_in_search(client: TestClient, service: FastAPI) -> None:
    publish_next(service, guide="missing-lessons", subjects=("missing_school", "neglect"))

    assert names(client, "/v1/guides?subject=missing_school") == ["missing-lessons"]
    assert names(client, "/v1/guides?subject=child_sexual_exploitation") == [SLUG]
    assert names(client, "/v1/guides?subject=forced_marriage") == []
    for path in ("search?q=secrecy&", "indicators?q=secrecy&"):
        assert names(client, f"/v1/{path}subject=neglect") == ["missing-lessons"]
    assert b"missing-lessons" not in client.get("/v1/indicators.csv?subject=child_sexual_exploitation").content
    subjects: list[dict[str, Any]] = client.get("/v1/guides?subject=neglect").json()["guides"][0]["subjects"]
    assert [(each["code"], each["lgsl_code"]) for each in subjects] == [("neglect", None), ("missing_school", 35)]


def test_a_page_of_the_catalogue_has_only_guides_about_the_subject(client: TestClient, service: FastAPI) -> None:
    for number in range(3):
        publish_next(service, guide=f"guide-{number}", subjects=("neglect",) if number != 1 else ("self_harm",))

    first = client.get("/v1/guides?subject=neglect&limit=1").json()
    second = client.get(f"/v1/guides?subject=neglect&limit=1&cursor={first['next_cursor']}").json()

    assert [each["guide"] for each in first["guides"] + second["guides"]] == ["guide-0", "guide-2"]
    assert second["next_cursor"] is None
