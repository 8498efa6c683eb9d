"""The JSON Schema of the file, and the skeleton of a new guide."""

import datetime as dt
from pathlib import Path

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from app.errors import SeedFileError, SetupError
from app.models.guides.edition_files import edition_yaml, read_edition_file
from app.models.guides.editions import SCHEMA_FILE, SCHEMA_LINE, edition_schema, edition_schema_json
from app.models.guides.proposed_ids import propose_id
from app.services.guides.validation import write_new_file
from tests.support.loops import for_each
from tests.support.publishing import an_edition

pytestmark = pytest.mark.any_database

COMMITTED = Path(__file__).parents[2] / "docs" / "reference" / SCHEMA_FILE
TODAY = dt.date(2026, 11, 24)


def test_the_schema_in_the_reference_is_that_of_the_model() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == edition_schema_json()


def test_the_schema_takes_a_file_without_positions_and_refuses_a_misspelt_key() -> None:
    content = YAML(typ="safe", pure=True).load(edition_yaml(an_edition()))

    jsonschema_rs.validate(edition_schema(), content)
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(edition_schema(), content | {"titel": "x"})


def test_a_new_guide_is_a_file_that_the_check_leads_through(tmp_path: Path) -> None:
    path, is_new = write_new_file(tmp_path, "county-lines", None, today=TODAY)

    with pytest.raises(SeedFileError) as refused:
        read_edition_file(path)
    assert is_new
    assert all(" needs " in fault.reason and fault.line for fault in refused.value.faults)
    assert path.read_text(encoding="utf-8").splitlines()[0] == SCHEMA_LINE
    assert (path.parent / "..").joinpath(SCHEMA_FILE).read_text(encoding="utf-8") == edition_schema_json()


@for_each("slug", ["County Lines", "../seed", "county_lines", ""])
def test_a_name_that_is_no_slug_writes_nothing(tmp_path: Path, slug: str) -> None:
    with pytest.raises(SetupError, match="lower-case words"):
        write_new_file(tmp_path, slug, None, today=TODAY)

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    path, _ = write_new_file(tmp_path, "county-lines", None, today=TODAY)
    path.write_text("mine", encoding="utf-8")

    with pytest.raises(SetupError, match="choose another name"):
        write_new_file(tmp_path, "county-lines", None, today=TODAY)

    assert path.read_text(encoding="utf-8") == "mine"


def test_a_proposed_id_has_the_key_words_and_is_not_taken() -> None:
    assert propose_id("Missing from home, care or school") == "missing-home-care-school"
    assert propose_id("Secrecy", {"secrecy"}) == "secrecy-2"
    assert propose_id("Secrecy", {"secrecy", *(f"secrecy-{number}" for number in range(2, 10))}) == "secrecy-10"
    assert propose_id("???") == "item"
