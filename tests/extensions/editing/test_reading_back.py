"""An export reads back: an edition's file and its Markdown, to the same digest, whatever the words are."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import Phase, given, settings
from starlette.testclient import TestClient

from app.errors import SeedFileError
from app.extensions.editing.services.exported_markdown import REMARK
from app.extensions.editing.services.importing import GuideDraft, draft_of, draft_page
from app.models.base import digest_of
from app.models.guides.edition_files import edition_yaml, file_text, read_edition_file
from app.models.guides.editions import EditionContent
from app.models.guides.markdown_data import END, START
from tests.support.generated_guides import generated_guides
from tests.support.publishing import GUIDE, an_edition

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

GENERATED = (Phase.explicit, Phase.generate)  # no example is made smaller: that takes minutes
UNDER_THE_LIST = "Secrecy about whereabouts"


def read_file(text: str) -> EditionContent:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "1.yaml"
        path.write_text(text, encoding="utf-8", newline="")
        return read_edition_file(path).content


def read_page(page: str) -> GuideDraft:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "guide.md"
        path.write_text(page, encoding="utf-8", newline="")
        return draft_of(path)


@settings(phases=GENERATED)
@given(generated_guides())
def test_the_file_of_any_edition_reads_back_to_the_same_digest(content: EditionContent) -> None:
    assert digest_of(read_file(edition_yaml(content))) == digest_of(content)


@settings(phases=GENERATED)
@given(generated_guides())
def test_the_markdown_of_any_edition_reads_back_to_the_same_digest(content: EditionContent) -> None:
    draft = read_page(draft_page(content))

    assert digest_of(read_file(file_text(draft.content))) == digest_of(content)
    assert draft.not_placed == ()


def test_the_seed_keeps_every_word_through_markdown_and_back(client: TestClient) -> None:
    draft = read_page(client.get(f"{GUIDE}.md").text)

    assert digest_of(read_file(file_text(draft.content))) == client.get(GUIDE).json()["digest"]
    assert draft.not_placed == ()


@pytest.mark.parametrize("data", ['{"publisher": 1}', '{"introductions": []}', '{"indicators": [1]}'])
def test_altered_data_of_an_export_are_refused_in_a_sentence(data: str) -> None:
    page = draft_page(an_edition())

    with pytest.raises(SeedFileError, match="the data at its end were changed"):
        read_page(REMARK.sub(lambda _: f"{START}{data}{END}", page))


def test_words_changed_in_the_markdown_enter_the_draft_and_ids_stay() -> None:
    page = draft_page(an_edition()).replace(UNDER_THE_LIST, "Silence about whereabouts")

    content = read_file(file_text(read_page(page).content))

    (changed,) = [each for each in content.indicators if each.text.startswith("Silence")]
    assert changed.id == "secrecy"
    assert [each.id for each in content.indicators] == [each.id for each in an_edition().indicators]


def test_entries_added_moved_or_removed_in_the_markdown_are_read() -> None:
    lines = draft_page(an_edition()).splitlines()
    place = next(place for place, line in enumerate(lines) if UNDER_THE_LIST in line)
    moved = [*lines[: place - 1], lines[place], "- An invented sign", *lines[place + 1 :]]

    indicators = read_file(file_text(read_page("\n".join(moved)).content)).indicators

    assert [each.id for each in indicators[:2]] == ["secrecy", "invented-sign"]
    assert "missing-or-unexplained-absence" not in [each.id for each in indicators]
    assert indicators[0].related_codes == an_edition().indicators[1].related_codes


def test_a_number_changed_only_in_the_page_is_listed_not_lost() -> None:
    page = draft_page(an_edition()).replace("[01225 396312]", "[01632 960001]")

    (line,) = read_page(page).not_placed

    assert "01632 960001" in line
