"""Sheets on which speakers check the pages: corrected in a browser, and taken back without a lost placeholder."""

import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from app.pages import languages
from app.pages.languages import LANGUAGES, LOCALE_DIR, SHORT_LANGUAGES, UNSIGNED, Language, read_catalogue
from speakers import pictures
from speakers.__main__ import main
from speakers.corrections import Taken, faults_of, take
from speakers.sheet import Returned, Sentence, fingerprint, read_sheet, sentences_of, sheet_of
from tests.support.loops import for_each

pytestmark = pytest.mark.any_database

URDU = next(each for each in SHORT_LANGUAGES if each.code == "ur")
POLISH = next(each for each in SHORT_LANGUAGES if each.code == "pl")
WELSH = LANGUAGES[1]
SPEAKER, DAY = "Sana Example, Example Council", "2026-12-03"
SEND, CALL, SILENT = "Send", "If so, call %(phones)s first.", "<strong>If you cannot speak,</strong>"


@pytest.fixture(autouse=True)
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test catalogues of its own."""
    folder = tmp_path / "locale"
    shutil.copytree(LOCALE_DIR, folder)
    monkeypatch.setattr(languages, "LOCALE_DIR", folder)
    languages._catalogue.cache_clear()
    yield folder
    languages._catalogue.cache_clear()


def file_of(language: Language) -> Path:
    return languages.LOCALE_DIR / language.code / "LC_MESSAGES" / f"{language.domain}.po"


def row(english: str, language: Language = URDU) -> Sentence:
    return next(each for each in sentences_of(language) if each.english.startswith(english))


def returned(
    language: Language = URDU, texts: dict[str, str] | None = None, *, signed: bool = False
) -> Returned:  # a tick
    """A sheet that came back, with these texts by the key of their sentence."""
    sheet = read_sheet(sheet_of(language, sentences_of(language), {}))
    for key, text in (texts or {}).items():
        sheet.rows[key] = (sheet.rows[key][0], text)
    if signed:
        sheet.checked_by, sheet.checked_on, sheet.is_whole = SPEAKER, DAY, True
    return sheet


def corrected(english: str, text: str, *, signed: bool = False) -> Taken:
    return take(URDU, returned(URDU, {row(english).key: text}, signed=signed))


@pytest.mark.parametrize("language", [URDU, WELSH], ids=["ur", "cy"])
def test_a_sheet_that_is_only_signed_keeps_every_sentence_and_names_who_checked(language: Language) -> None:
    before = file_of(language).read_text().partition("\n\n")[2]

    taken = take(language, returned(language, signed=True))

    assert (taken.refused, taken.corrected, taken.signed_by) == ([], [], SPEAKER)
    head, _, sentences = file_of(language).read_text().partition("\n\n")
    assert sentences == before
    assert head.startswith(f"# {language.english_name}, checked by {SPEAKER} on {DAY}.\n")
    assert f'"PO-Revision-Date: {DAY} 12:00+0000\\n"' in head
    assert language.is_checked


@pytest.mark.parametrize("language", [URDU, WELSH], ids=["ur", "cy"])
def test_an_untouched_sheet_changes_nothing(language: Language) -> None:
    before = file_of(language).read_bytes()

    taken = take(language, returned(language))

    assert (taken.refused, taken.corrected, taken.signed_by) == ([], [], "")
    assert file_of(language).read_bytes() == before
    assert not language.is_checked


def test_a_correction_changes_its_line_alone_and_taking_it_twice_does_no_harm() -> None:
    before, new = file_of(URDU).read_text(), "ہمیں بھیجیں"
    sheet = returned(URDU, {row(SEND).key: new})

    first, second = take(URDU, sheet), take(URDU, sheet)

    after = file_of(URDU).read_text()
    assert [each.now for each in first.corrected] == [new]
    assert (second.corrected, second.refused) == ([], [])
    lines = [each for each in zip(before.splitlines(), after.splitlines(), strict=True) if each[0] != each[1]]
    assert lines == [('msgstr "بھیجیں"', f'msgstr "{new}"')]


@for_each(
    ("english", "text", "said"),
    [
        (CALL, "پہلے کال کریں۔", "%(phones)s is missing. Copy it from the English."),
        (CALL, "%(phones)s %(phones)s", "%(phones)s is not in the English, or not so often. Take it out."),
        (SILENT, "999 55", "<strong> is missing. Copy it from the English."),
        (SILENT, "</strong>999<strong> 55", "the parts in < and > are not in their order."),
        ("Do not wait for us. Call 999 now.", "ابھی 99 پر کال کریں۔", "999 is missing. Copy it from the English."),
        ("Do not wait for us. Call 999 now.", "ابھی ۹۹۹ پر کال کریں۔", "its numbers are not those of the English."),
        (SEND, "https://example.com", "https://example.com is not in the English"),
        (SEND, "", "the translation is empty."),
        (SEND, "بھیجیں\u202e", "it has an invisible letter (U+202E). Take it out."),
        (SEND, "100%", "it has the sign %"),
        (SEND, "بھیجیں {", "it has the sign {"),
        (SEND, "<script>alert(1)</script>", "<script> is not in the English, or not so often. Take it out."),
        (SEND, "بھیجیں <img src=x onerror=alert(1)", "it has the sign <"),
        (SEND, '=HYPERLINK("http://example.com")', "http://example.com is not in the English"),
    ],
)
def test_a_row_that_would_break_the_page_is_refused_by_its_number(english: str, text: str, said: str) -> None:
    before = file_of(URDU).read_bytes()

    taken = corrected(english, text, signed=True)

    assert any(each.startswith(f"Row {row(english).number}: {said}") for each in taken.refused), taken.refused
    assert (taken.signed_by, taken.unsigned_because) == ("", "Some rows were refused.")
    assert file_of(URDU).read_bytes() == before


def test_a_row_keeps_joiners_and_the_numbers_that_the_translation_had() -> None:
    joined = "ہمیں\u200cبھیجیں"

    assert [each.now for each in corrected(SEND, joined).corrected] == [joined]
    once = Sentence(1, "Shift: press 1 more time to exit.", "Shift: mai apăsați o dată pentru a ieși.")
    assert list(faults_of(once, "Shift: apăsați încă o dată pentru a ieși.")) == []
    assert list(faults_of(once, "Shift: mai apăsați de 2 ori pentru a ieși.")) != []


def test_right_rows_are_taken_beside_a_refused_one() -> None:
    texts = {row(CALL).key: "پہلے کال کریں۔", row(SEND).key: "ہمیں بھیجیں"}

    taken = take(URDU, returned(URDU, texts))

    assert [each.english for each in taken.corrected] == [SEND]
    assert len(taken.refused) == 1


def test_what_looks_like_a_formula_or_markup_is_text_in_the_next_sheet() -> None:
    hostile = Sentence(1, "<b>One</b>", '=cmd()</textarea><script>alert("1")</script>')

    class Tags(HTMLParser):
        found: list[str] = []  # noqa: RUF012  # of one test

        def handle_starttag(self, tag: str, _attrs: object) -> None:
            self.found.append(tag)

    page = sheet_of(URDU, [hostile], {})
    Tags().feed(page)

    assert (Tags.found.count("script"), Tags.found.count("textarea"), "b" in Tags.found) == (1, 1, False)
    assert read_sheet(page).rows == {hostile.key: (fingerprint(hostile.now), hostile.now)}


def test_a_sentence_changed_since_the_sheet_was_made_is_neither_overwritten_nor_signed() -> None:
    old = returned(URDU, {row(SEND).key: "ہمیں بھیجیں"}, signed=True)
    corrected(SEND, "اب بھیجیں")

    taken = take(URDU, old)

    said = "this translation was changed here after the sheet was made. Correct it in a new sheet."
    assert taken.refused == [f"Row {row(SEND).number}: {said}"]
    untouched = returned(URDU, signed=True)
    untouched.rows[row(SEND).key] = (fingerprint("بھیجیں"), "بھیجیں")
    assert take(URDU, untouched).unsigned_because.startswith("Some sentences are new, or have changed")
    assert row(SEND).now == "اب بھیجیں"
    del untouched.rows[row(CALL).key]
    assert take(URDU, untouched).signed_by == ""


@for_each(
    ("name", "day", "ticked"),
    [
        ("", DAY, True),
        (SPEAKER, "", True),
        (SPEAKER, DAY, False),
        ('A\\n"X: y', DAY, True),
        ("A <b@c.example>", DAY, True),
    ],
)
def test_without_name_date_and_tick_the_pages_still_say_that_nobody_checked(name: str, day: str, ticked: bool) -> None:
    sheet = returned()
    sheet.checked_by, sheet.checked_on, sheet.is_whole = name, day, ticked

    assert take(URDU, sheet).signed_by == ""
    assert read_catalogue(URDU).last_translator == UNSIGNED


def test_a_later_correction_without_the_tick_takes_the_name_out() -> None:
    take(URDU, returned(URDU, signed=True))
    assert read_catalogue(URDU).last_translator == SPEAKER

    corrected(SEND, "ہمیں بھیجیں")

    assert read_catalogue(URDU).last_translator == UNSIGNED


def test_an_unsigned_sheet_without_a_correction_leaves_the_name_in() -> None:
    take(URDU, returned(URDU, signed=True))

    take(URDU, returned(URDU))

    assert read_catalogue(URDU).last_translator == SPEAKER


def test_a_sheet_of_another_language_is_refused_as_a_whole() -> None:
    taken = take(POLISH, returned(URDU, {row(SEND).key: "ہمیں بھیجیں"}, signed=True))

    assert taken.refused == ["This is no sheet for Polish: nothing was taken."]
    assert taken.corrected == []


def test_the_command_refuses_what_is_no_sheet_of_that_language(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet, bytes_ = tmp_path / "sheet.html", tmp_path / "bytes"
    sheet.write_text(sheet_of(URDU, sentences_of(URDU), {}))
    bytes_.write_bytes(b"\xff\xfe\x00")

    codes = [
        main("xx"),
        main("ur", str(tmp_path)),
        main("ur", str(bytes_)),
        main("pl", str(sheet)),
        main("ur", str(sheet)),
    ]

    assert codes == [2, 2, 2, 1, 0]
    assert "This is no sheet for Polish: nothing was taken." in capsys.readouterr().out


@pytest.mark.slow
def test_a_speaker_corrects_the_sheet_in_a_browser_and_sends_the_saved_file(
    browser: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.html"
    sheet.write_text(sheet_of(URDU, sentences_of(URDU), {}))
    page, faults = browser.new_page(), []
    page.on("console", lambda message: faults.append(message.text))
    page.goto(sheet.as_uri())
    page.get_by_label(f"Translation of row {row(SEND).number}", exact=True).fill("ہمیں بھیجیں & شکریہ")
    page.get_by_label("Your name, and where you work").fill(SPEAKER)
    page.get_by_label("Date").fill(DAY)
    page.get_by_role("checkbox").check()
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save the sheet").click()
    saved = tmp_path / saving.value.suggested_filename
    saving.value.save_as(saved)
    page.goto(saved.as_uri())
    reopened = page.get_by_label(f"Translation of row {row(SEND).number}", exact=True).input_value()
    page.close()

    code = main("ur", str(saved))

    assert (code, faults, reopened) == (0, [], "ہمیں بھیجیں & شکریہ")
    assert row(SEND).now == "ہمیں بھیجیں & شکریہ"
    assert read_catalogue(URDU).last_translator == SPEAKER
    assert f"Corrected translations: 1.\nChecked by {SPEAKER}." in capsys.readouterr().out


@pytest.mark.slow
def test_a_picture_shows_where_a_sentence_stands(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "_pages", lambda _service, client, language: [client.get(language.prefix).text])

    found = pictures.take_pictures(browser, URDU, sentences_of(URDU))

    assert {SEND, "Who are you?", "Is a child in immediate danger?", "Exit this page"} <= set(found)
    assert "Copied." not in found
    assert all(each.startswith(b"\xff\xd8") for each in found.values())
