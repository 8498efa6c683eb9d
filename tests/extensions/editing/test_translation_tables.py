"""The table for translators: filled in a spreadsheet, taken row by row, and nothing that was right is lost."""

import codecs
import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fastapi import FastAPI

from app.extensions.editing.pages.edit_renditions import MOST_REFUSED
from app.extensions.editing.services import translation_tables as tables
from app.extensions.editing.services.rendition_drafts import TextPair, own_texts, read_parts, texts_of
from app.extensions.editing.services.translation_tables import (
    TableOutcome,
    fill_draft,
    locked_texts,
    read_table,
    translation_table,
)
from app.models.base import EXAMPLE_DIGEST
from app.models.guides.contacts import Contact
from app.models.guides.editions import EditionContent
from app.services.csv_sheets import csv_sheet, safe_cell
from tests.extensions.editing.test_edit_pages import Editor
from tests.extensions.editing.test_rendition_drafts import ann as ann  # noqa: PLC0414  # a fixture
from tests.extensions.editing.test_rendition_drafts import ben as ben  # noqa: PLC0414  # a fixture
from tests.extensions.editing.test_rendition_drafts import reword
from tests.support.drafts import SEED_GUIDE
from tests.support.people import OWN_PAGE
from tests.support.publishing import an_edition

pytestmark = pytest.mark.any_database

EDITION = an_edition()
SIGN, RISK, CAUTION = (
    "indicators/secrecy/text",
    "linked_risks/child-trafficking/text",
    "cautions/absence-of-indicators/text",
)
NEW, OLD = "Tajemniczość", "Handel dziećmi"
BLANK: dict[str, Any] = {"language": "pl", "form": "translation", "of": {"edition": 1, "digest": EXAMPLE_DIGEST}}
DRAFT = BLANK | {
    "checked_by": "Example Team",
    "checked_on": "2026-11-24",
    "linked_risks": [{"id": "child-trafficking", "text": OLD}],
}
Rows = list[dict[str, str]]


def download(
    content: dict[str, Any], edition: EditionContent = EDITION, former: Mapping[str, str] | None = None
) -> Rows:
    """Return the rows of the table of a draft, as a spreadsheet shows them."""
    words, unsettled = read_parts(content)
    own = own_texts(words)
    pairs = [
        TextPair(
            path,
            text,
            own.get(path, ""),
            each.text if (each := unsettled.get(path)) else None,
            (former or {}).get(path),
        )
        for path, text in texts_of(edition).items()
    ]
    sheet = translation_table(pairs, edition, "pl").decode("utf-8-sig")
    return [*csv.DictReader(io.StringIO(sheet, newline=""))]


def saved(rows: Rows, *, encoding: str = "utf-8-sig", separator: str = ",") -> bytes:
    """Return the rows as a spreadsheet saves them. Letters that the encoding lacks become question marks."""
    sheet = io.StringIO(newline="")
    writer = csv.DictWriter(sheet, [*rows[0]], delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    return sheet.getvalue().encode(encoding, errors="replace")


def row_of(rows: Rows, key: str) -> dict[str, str]:
    return next(each for each in rows if each["Key"] == key)


def translate(rows: Rows, **words: str) -> Rows:
    for key, text in words.items():
        row_of(rows, {"sign": SIGN, "risk": RISK, "caution": CAUTION}[key])["Translation (pl)"] = text
    return rows


def upload(content: dict[str, Any], data: bytes, edition: EditionContent = EDITION, **how: bool) -> TableOutcome:
    return fill_draft(content, edition, read_table(data, "pl"), **how)


def text_at(outcome: TableOutcome, path: str) -> str | None:
    return own_texts(read_parts(outcome.content)[0]).get(path)


def reasons(outcome: TableOutcome) -> list[str]:
    return [each.reason for each in outcome.refused]


def test_a_table_that_nobody_changed_changes_nothing() -> None:
    unusual = DRAFT | {"title": '- =1 ‘a’,\n"b";', "unsettled": {SIGN: [1, "@ dawne słowa"]}}

    outcome = upload(unusual, saved(download(unusual)))

    assert (outcome.content, outcome.taken, outcome.refused, outcome.absent) == (unusual, 0, (), ())


def test_changed_rows_are_taken_and_the_check_is_asked_for_again() -> None:
    outcome = upload(DRAFT, saved(translate(download(DRAFT), sign=f"{NEW}\r\n= druga linia")))

    assert (outcome.taken, outcome.refused) == (1, ())
    assert (text_at(outcome, SIGN), text_at(outcome, RISK)) == (f"{NEW}\n= druga linia", OLD)
    assert not {"checked_by", "checked_on"} & outcome.content.keys()


@pytest.mark.parametrize(
    ("encoding", "separator"),
    [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t"), ("cp1252", ";"), ("cp1252", ",")],
)
def test_tables_are_read_as_spreadsheets_save_them(encoding: str, separator: str) -> None:
    data = saved(translate(download(BLANK), sign="Café; ‘olé’"), encoding=encoding, separator=separator)

    outcome = upload(BLANK, data)

    assert text_at(outcome, SIGN) == "Café; ‘olé’"
    assert outcome.refused == ()


def test_an_outdated_translation_is_marked_until_it_is_changed() -> None:
    stale = BLANK | {"unsettled": {SIGN: [1, OLD]}}
    rows = download(stale, former={SIGN: "Secrets"})
    assert row_of(rows, SIGN)["Note"] == "The English text has changed. It was: Secrets"

    same, changed = upload(stale, saved(rows)), upload(stale, saved(translate(rows, sign=NEW)))

    assert same.content == stale
    assert "unsettled" not in changed.content
    assert text_at(changed, SIGN) == NEW


def test_cautions_and_what_is_about_999_are_locked() -> None:
    police: dict[str, Any] = {"id": "police", "position": 4, "name": "Police", "kind": "telephone", "when": "Danger"}
    phones = [{"number": "999", "display": "999"}]
    contacts = (*EDITION.contacts, Contact.model_validate(police | {"phones": phones}))
    introductions = EDITION.introductions.model_copy(update={"contacts": "Ring 999 or 01632 960 999."})
    edition = EDITION.model_copy(update={"contacts": contacts, "introductions": introductions})

    locked = locked_texts(edition)
    outcome = upload(DRAFT, saved(translate(download(DRAFT, edition), caution=NEW)), edition)

    emergency = {"contacts/police/name", "contacts/police/when", "introductions/contacts"}
    assert locked == emergency | {path for path in texts_of(edition) if path.startswith("cautions/")}
    assert {each["Key"] for each in download(DRAFT, edition) if each["Locked"] == "yes"} == locked
    assert "is locked" in reasons(outcome)[0]
    assert text_at(outcome, CAUTION) is None


def without_key(row: dict[str, str]) -> None:
    row["Key"] = ""


def with_other_key(row: dict[str, str]) -> None:
    row["Key"] = "indicators/none-such/text"


def with_other_english(row: dict[str, str]) -> None:
    row["English text"] += " And more."


def with_words(words: str) -> Callable[[dict[str, str]], None]:
    return lambda row: row.update({"Translation (pl)": words})


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (without_key, tables.NO_KEY),
        (with_other_key, tables.UNKNOWN_KEY),
        (with_other_english, tables.OTHER_ENGLISH),
        (with_words(""), tables.EMPTIED),
        (with_words("=HYPERLINK(A1)"), tables.IS_FORMULA),
        (with_words("#NAZWA?"), tables.IS_ERROR),
        (with_words("Tajemniczo?ć"), tables.LOST_LETTERS),
        (with_words("TajemniczoÅ›Ä‡"), tables.LOST_LETTERS),
        (with_words("a" * 4001), tables.TOO_LONG),
        (with_words("a\0"), tables.NOT_STORED),
    ],
)
def test_a_wrong_row_is_refused_and_the_others_are_taken(spoil: Callable[[dict[str, str]], None], reason: str) -> None:
    rows = translate(download(DRAFT), sign=NEW)
    place = rows.index(row_of(rows, RISK))
    spoil(rows[place])

    outcome = upload(DRAFT, saved(rows))

    assert reasons(outcome) == [reason.format(place + 2)]
    assert (text_at(outcome, SIGN), text_at(outcome, RISK)) == (NEW, OLD)


def test_letters_that_the_encoding_lacks_are_missed() -> None:
    outcome = upload(
        BLANK, saved(translate(download(BLANK), sign="Cadw draw o’r tŷ", risk="Yn saff"), encoding="cp1252")
    )

    assert len(outcome.refused) == 1
    assert "letters were lost" in reasons(outcome)[0]
    assert text_at(outcome, RISK) == "Yn saff"


def test_double_and_missing_rows_are_named() -> None:
    rows = translate(download(BLANK), sign=NEW, risk=OLD)
    again = [row_of(rows, SIGN) | {"Translation (pl)": "Inne słowa"}, row_of(rows, RISK)]

    outcome = upload(BLANK, saved([each for each in rows if each["Key"] != "title"] + again))

    assert (text_at(outcome, SIGN), text_at(outcome, RISK)) == (None, OLD)
    assert "have the same key and different translations" in reasons(outcome)[0]
    assert outcome.absent == ("title",)


def test_rows_before_a_missing_quotation_mark_are_taken() -> None:
    rows = translate(download(BLANK), sign=NEW)
    whole = saved(rows)

    outcome = upload(BLANK, whole + b'"title,')

    assert reasons(outcome) == [tables.BROKEN.format(len(rows) + 2)]
    assert text_at(outcome, SIGN) == NEW


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", tables.NO_TABLE),
        (b"a" * (tables.MAX_TABLE_BYTES + 1), tables.TOO_LARGE),
        (b"PK\x03\x04 a workbook", tables.WORKBOOK),
        (b"\x81\x8d", tables.NOT_TEXT),
        (b'"' + b"a" * 200_000, tables.NOT_TEXT),
        (b"a,b\n", "The first row must have the names of the columns"),
        (b"Key,English text,Translation (cy),Version\n", "the language ‘cy’"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_a_sentence(data: bytes, said: str) -> None:
    with pytest.raises(tables.TableRefused, match=f".*{said[:40].replace('(', '.')}"):
        read_table(data, "pl")


def test_what_somebody_changed_since_the_download_stays_unless_the_editor_says_so() -> None:
    rows = translate(download(DRAFT), risk="Nowe słowa", sign=NEW)
    meanwhile = DRAFT | {"title": "Tytuł", "linked_risks": [{"id": "child-trafficking", "text": "Słowa Ben"}]}

    first = upload(meanwhile, saved(rows))
    second = upload(meanwhile, saved(rows), over_changes=True)

    assert (text_at(first, RISK), text_at(first, SIGN)) == ("Słowa Ben", NEW)
    assert [each.translation for each in first.refused] == ["Nowe słowa"]
    assert (text_at(second, RISK), text_at(second, "title"), second.refused) == ("Nowe słowa", "Tytuł", ())


class Translating:
    """A person who downloads and uploads the table of the Welsh draft."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor

    def rows(self) -> Rows:
        response = self.editor.get(f"/{SEED_GUIDE}/renditions/cy/table.csv")
        assert response.content.startswith(codecs.BOM_UTF8)
        assert response.headers["content-disposition"] == f'attachment; filename="{SEED_GUIDE}-2-cy.csv"'
        return [*csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline=""))]

    def upload(self, data: bytes) -> Any:
        sent = self.editor._cookies | OWN_PAGE
        path = f"/edit/{SEED_GUIDE}/renditions/cy/table"
        return self.editor.http.post(path, files={"table": ("table.csv", data)}, headers=sent)


@pytest.mark.slow
def test_two_translators_fill_one_table_on_the_pages(service: FastAPI, ann: Editor, ben: Editor) -> None:
    path = reword(service)
    ann.post(f"/{SEED_GUIDE}/renditions/begin", {"form": "translation", "language": "cy"})
    of_ann, of_ben = Translating(ann), Translating(ben)
    rows, others = of_ann.rows(), of_ben.rows()
    row_of(rows, path)["Translation (cy)"] = "Geiriau newydd"
    row_of(others, "title")["Translation (cy)"] = "Teitl Ben"

    taken = of_ann.upload(saved(rows))
    both = of_ben.upload(saved(others))

    assert (taken.status_code, both.status_code) == (200, 200)
    assert "1 translation taken from the table" in taken.text
    assert "Ann Example, Ben Example" in both.text, "the page shows the draft as it is saved"
    assert {"Geiriau newydd", "Teitl Ben"} <= {each["Translation (cy)"] for each in of_ben.rows()}
    assert "of former words" not in both.text


@pytest.mark.slow
def test_an_upload_says_what_is_refused_and_what_is_missing(service: FastAPI, ann: Editor) -> None:
    reword(service)
    ann.post(f"/{SEED_GUIDE}/renditions/begin", {"form": "translation", "language": "cy"})
    of_ann = Translating(ann)
    rows = [each | {"English text": "Other words"} for each in of_ann.rows()]

    refused, no_table = of_ann.upload(saved(rows * 2)), of_ann.upload(b"PK\x03\x04")

    assert (refused.status_code, no_table.status_code) == (422, 422)
    assert "Nothing was taken from the table" in refused.text
    assert refused.text.count("is not that of the guide") == min(MOST_REFUSED, len(rows))
    assert "This is a workbook" in no_table.text
    assert "1 text is of former words" in refused.text
    ann.post(f"/{SEED_GUIDE}/renditions/begin", {"form": "bsl_video", "language": ""})
    assert ann.get(f"/{SEED_GUIDE}/renditions/bfi/table.csv").status_code == 404


def test_a_cell_that_a_spreadsheet_would_run_is_text_in_the_table() -> None:
    hostile = DRAFT | {"title": "=1+1"}

    assert row_of(download(hostile), "title")["Translation (pl)"] == "'=1+1"
    assert csv_sheet(["a"], [["=1+1"]]).endswith(b"'=1+1\r\n")


@pytest.mark.parametrize("line_end", ["\r", "\n", "\r\n", ",,\n"])
def test_a_table_of_blank_rows_is_refused_early(line_end: str) -> None:
    header = b"Key,English text,Translation,Version\n"
    assert tables.read_table(header + line_end.encode() * 2_400, "cy").rows == ()

    with pytest.raises(tables.TableRefused, match="too many rows"):
        tables.read_table(header + line_end.encode() * 2_501, "cy")


@pytest.mark.parametrize("hidden", ["\ufeff", "\u200b", "\u2060", "\u202e", " \u200b "])
def test_a_formula_behind_a_character_that_nobody_sees_gets_its_apostrophe(hidden: str) -> None:
    assert safe_cell(f"{hidden}=1") == f"'{hidden}=1"
    assert safe_cell(f"{hidden}words") == f"{hidden}words"
