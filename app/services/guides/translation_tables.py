"""The table for translators: the texts of a rendition's draft as CSV, and what a filled table changes in the draft.

The column `Version` has a short digest of each translation at the download. An upload changes only the translations
that the translator changed, and refuses those that somebody else has changed since. A blank cell deletes nothing.
"""

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.models.base import MAX_TEXT_LENGTH, NOT_STORABLE
from app.models.guides.editions import EditionContent
from app.services.csv_sheets import FORMULA, csv_sheet, plain_cell
from app.services.guides.documents import one_line
from app.services.guides.drafts import DraftContent
from app.services.guides.rendition_drafts import TextPair, TextPath, own_texts, read_parts, take_texts, texts_of

MAX_TABLE_BYTES = 900_000
"""Limit of the size of an uploaded table, in bytes. A request body of more than 1 MB is refused before it is read."""
MAX_BLANK_ROWS, MAX_ROWS = 2_500, 10_000
"""Limits of the rows of an uploaded table. The lists of the largest guide have fewer rows than `MAX_ROWS`."""
KEY, ENGLISH, TRANSLATION, LOCKED, NOTE, VERSION = "Key", "English text", "Translation", "Locked", "Note", "Version"
NEEDED = (KEY, ENGLISH, TRANSLATION, VERSION)
"""The columns that an uploaded table must have."""
YES, NO = "yes", "no"
NOTE_LOCKED = "Cautions and texts with 999 are translated on the page only."
NOTE_CHANGED = "The English text has changed. It was: {}"
NOTE_MISSING = "No translation yet."
CAUTIONS, CONTACTS = "cautions/", "contacts/"
EMERGENCY = re.compile(r"(?<![0-9])(?<![0-9] )(?:999|112|18000)(?! ?[0-9])")
"""The emergency numbers in a text: 999, 112, and 18000 for Relay UK. They must not be part of a longer number."""
SEPARATORS = ",;\t"
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""The first bytes of the files of Excel and LibreOffice."""
NARROW = "cp1252"
"""The encoding in which Excel saves CSV if not told otherwise. Letters that it lacks become question marks."""
ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"", "utf-8"),
    (b"", NARROW),
)
"""The encodings that spreadsheets write, each with the bytes at the beginning of the file, in the order of trying."""
TAG = re.compile(r"\(([A-Za-z0-9-]{2,40})\)")
"""The language tag in brackets after the name of the column `Translation`."""
ERROR_VALUE = re.compile(r"#[\w/]{1,20}[?!]?|Err:[0-9]{3}")
"""What a spreadsheet shows in place of a formula that fails."""
LOST = re.compile(r"\?(?=\w)|\?{3}|\ufffd")
"""Signs that a letter was lost: a question mark before a letter, three question marks, or the character U+FFFD."""
NO_TABLE = "Choose the filled table"
TOO_LARGE = "The table is larger than 900 KB. Choose the table that was downloaded here"
SAVE_AS = "In Excel, choose ‘Save as’ and ‘CSV UTF-8’. In LibreOffice, choose ‘Text CSV’ and ‘Unicode (UTF-8)’"
TOO_MANY_ROWS = "The table has too many rows. Delete the blank ones, and choose the table again"
WORKBOOK = f"This is a workbook. {SAVE_AS}"
NOT_TEXT = f"This is not a CSV file. {SAVE_AS}"
NO_COLUMNS = "The first row must have the names of the columns, as downloaded: {}"
OTHER_LANGUAGE = "This table is for the language ‘{}’, and this draft is in another language"
BROKEN = "Row {} and the rows after it cannot be read: a quotation mark is missing or misplaced."
NO_KEY = "Row {} has no key."
UNKNOWN_KEY = "Row {}: the guide has no text with this key."
DOUBLE = "Rows {} have the same key and different translations."
OTHER_ENGLISH = "Row {}: the English text is not that of the guide. Download the table again."
IS_LOCKED = "Row {} is locked. Cautions and texts with 999 are translated on the page only."
EMPTIED = "Row {} is empty. The draft keeps its translation, which you can delete on the page."
IS_ERROR = "Row {} has an error of the spreadsheet in place of the translation."
IS_FORMULA = "Row {}: spreadsheets take a text that begins like this for a formula. Begin with a letter."
LOST_LETTERS = f"Row {{}}: letters were lost when the table was saved. {SAVE_AS}."
TOO_LONG = "Row {}: the translation has more than 4,000 characters."
NOT_STORED = "Row {}: the translation has a character that cannot be stored."
CHANGED_SINCE = "Row {}: the translation in the draft is no longer the one that was downloaded. It stays."


class TableRefused(Exception):
    """The table cannot be read. The message is a sentence for editors."""


@dataclass(frozen=True)
class FilledRow:
    """A row of an uploaded table. `number` is its number in the spreadsheet, where the names of columns are row 1.

    `version` is the short digest that the translation had at the download.
    """

    number: int
    key: TextPath
    english: str
    translation: str
    version: str


@dataclass(frozen=True)
class FilledTable:
    """An uploaded table. `is_narrow` is True if its encoding is `NARROW`, which lacks the letters of many languages.

    `fault` is a sentence about the rest of the table if only its beginning can be read, otherwise an empty string.
    """

    rows: tuple[FilledRow, ...]
    is_narrow: bool
    fault: str = ""


@dataclass(frozen=True)
class RefusedRow:
    """A row from which nothing was taken, and the `reason` as a sentence for editors.

    `path` is the path of the text, or empty if the reason is not about one text of the guide. `translation` is the
    refused translation, or empty if the reason is not about one translation.
    """

    reason: str
    path: TextPath = ""
    translation: str = ""


@dataclass(frozen=True)
class TableOutcome:
    """The result of an upload: the draft's new content, and the number of translations that were taken.

    `refused` are the rows from which nothing was taken because of a fault. `absent` are the paths of the texts for
    which the table has no row.
    """

    content: DraftContent
    taken: int
    refused: tuple[RefusedRow, ...]
    absent: tuple[TextPath, ...]


def locked_texts(edition: EditionContent) -> frozenset[TextPath]:
    """Return the paths of the texts of `edition` that a table may not change.

    These are cautions, texts that name an emergency number, and contacts with such a number.
    """
    emergency = {
        each.id for each in edition.contacts if any(EMERGENCY.fullmatch(phone.number) for phone in each.phones)
    }
    return frozenset(
        path
        for path, text in texts_of(edition).items()
        if path.startswith(CAUTIONS)
        or EMERGENCY.search(text)
        or (path.startswith(CONTACTS) and path.split("/")[1] in emergency)
    )


def translation_table(pairs: Sequence[TextPair], edition: EditionContent, language: str) -> bytes:
    """Return the texts `pairs` of a draft in `language` as CSV in UTF-8 with a byte order mark, which Excel needs.

    `edition` is the edition that the draft renders, and decides which texts are locked.
    """
    locked = locked_texts(edition)
    header = (KEY, ENGLISH, f"{TRANSLATION} ({language})", LOCKED, NOTE, VERSION)
    return codecs.BOM_UTF8 + csv_sheet(header, (_cells_of(each, each.path in locked) for each in pairs))


def _cells_of(pair: TextPair, is_locked: bool) -> tuple[str, ...]:
    shown = pair.text or pair.unsettled or ""
    note = NOTE_MISSING if not shown else ""
    if pair.former is not None:
        note = NOTE_CHANGED.format(pair.former)
    if is_locked:
        note = NOTE_LOCKED
    return pair.path, pair.original, shown, YES if is_locked else NO, note, _short_digest(shown)


def _short_digest(translation: str) -> str:
    """Return the short digest of `translation` for the column `Version`.

    White space is ignored, because spreadsheets change it. The digest begins with a letter, so that no spreadsheet
    takes it for a number.
    """
    return f"v{hashlib.sha256(one_line(translation).encode()).hexdigest()[:8]}"


def read_table(data: bytes, language: str) -> FilledTable:
    """Return the table in the CSV file `data`, with the separators and encodings that spreadsheets write.

    Raise `TableRefused` if the file is empty, too large, too long or no CSV, if it lacks a column, or if it is for
    another language than `language`. If only the beginning can be read, return this part, and say so in `fault`.
    """
    text, encoding = _decode(data)
    separator = max(SEPARATORS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        columns = _find_columns(next(reader, []), language)
    except csv.Error:
        raise TableRefused(NOT_TEXT) from None
    rows: list[FilledRow] = []
    number, fault = 1, ""
    try:
        for number, cells in enumerate(reader, 2):
            if number - len(rows) > MAX_BLANK_ROWS or number > MAX_ROWS:
                raise TableRefused(TOO_MANY_ROWS)
            if any(map(str.strip, cells)):
                values = (plain_cell(cells[place]) if place < len(cells) else "" for place in columns)
                rows.append(FilledRow(number, *values))
    except csv.Error:
        fault = BROKEN.format(number + 1)
    return FilledTable(tuple(rows), encoding == NARROW, fault)


def _decode(data: bytes) -> tuple[str, str]:
    """Return the text of the file `data`, and its encoding.

    Raise `TableRefused` if the file is empty, larger than `MAX_TABLE_BYTES`, a workbook, or in none of `ENCODINGS`.
    """
    if not data.strip():
        raise TableRefused(NO_TABLE)
    if len(data) > MAX_TABLE_BYTES:
        raise TableRefused(TOO_LARGE)
    if data.startswith(WORKBOOKS):
        raise TableRefused(WORKBOOK)
    for beginning, encoding in ENCODINGS:
        if data.startswith(beginning):
            try:
                return data.decode(encoding), encoding
            except UnicodeDecodeError:
                continue
    raise TableRefused(NOT_TEXT)


def _find_columns(header: Sequence[str], language: str) -> list[int]:
    """Return the index in `header`, the names of the columns, of each column of `NEEDED`.

    Raise `TableRefused` if a column is absent, or if the table is for another language than `language`.
    """
    names = [each.strip().lower() for each in header]
    found = [next((place for place, name in enumerate(names) if name.startswith(each.lower())), -1) for each in NEEDED]
    if -1 in found:
        raise TableRefused(NO_COLUMNS.format(", ".join(NEEDED)))
    tag = TAG.search(names[found[NEEDED.index(TRANSLATION)]])
    if tag is not None and tag[1] != language.lower():
        raise TableRefused(OTHER_LANGUAGE.format(tag[1]))
    return found


def fill_draft(
    content: DraftContent, edition: EditionContent, table: FilledTable, *, over_changes: bool = False
) -> TableOutcome:
    """Return the draft `content` of a rendition of `edition` with the translations that `table` changes.

    Take nothing from a row with a fault, and list it in `refused`. A row that changes a translation is at fault if the
    draft has another translation than the one that was downloaded, unless `over_changes` is True.
    """
    words, unsettled = read_parts(content)
    saved = {path: each.text for path, each in unsettled.items()} | own_texts(words)
    filling = _Filling(texts_of(edition), saved, locked_texts(edition), table.is_narrow, over_changes)
    by_key: dict[TextPath, list[FilledRow]] = {}
    for row in table.rows:
        by_key.setdefault(row.key or f" {row.number}", []).append(row)
    taken: dict[TextPath, str] = {}
    refused: list[RefusedRow] = []
    for rows in by_key.values():
        fault = filling.fault_of(rows)
        if fault is not None:
            refused.append(fault)
        elif filling.changes(rows[0]):
            taken[rows[0].key] = rows[0].translation
    if table.fault:
        refused.append(RefusedRow(table.fault))
    absent = tuple(path for path in filling.originals if path not in by_key)
    return TableOutcome(take_texts(content, taken, filling.originals), len(taken), tuple(refused), absent)


@dataclass(frozen=True)
class _Filling:
    """The data with which the rows of a table are compared.

    `originals` are the texts of the edition, and `saved` the translations in the draft, both by path. `locked` are the
    paths that a table may not change. `is_narrow` is as in `FilledTable`, and `over_changes` as in `fill_draft`.
    """

    originals: Mapping[TextPath, str]
    saved: Mapping[TextPath, str]
    locked: frozenset[TextPath]
    is_narrow: bool
    over_changes: bool

    def changes(self, row: FilledRow) -> bool:
        """Return True if the translation in `row` is neither that of the draft nor the one that was downloaded."""
        digest = _short_digest(row.translation)
        return digest not in (row.version, _short_digest(self.saved.get(row.key, "")))

    def fault_of(self, rows: Sequence[FilledRow]) -> RefusedRow | None:
        """Return the refusal of `rows`, which have the same key, or None if they have no fault."""
        row = rows[0]
        if len({one_line(each.translation) for each in rows}) > 1:
            numbers = " and ".join(str(each.number) for each in rows)
            return RefusedRow(DOUBLE.format(numbers), row.key if row.key in self.originals else "")
        reason = next(self._faults_of(row), None)
        if reason is None:
            return None
        return RefusedRow(reason.format(row.number), row.key if row.key in self.originals else "", row.translation)

    def _faults_of(self, row: FilledRow) -> Iterator[str]:
        original = self.originals.get(row.key)
        if original is None:
            yield UNKNOWN_KEY if row.key else NO_KEY
            return
        if one_line(row.english) != one_line(original):
            yield OTHER_ENGLISH
        if not self.changes(row):
            return
        if row.key in self.locked:
            yield IS_LOCKED
        yield from self._faults_of_words(row.translation, original)
        now = self.saved.get(row.key, "")
        if now and _short_digest(now) != row.version and not self.over_changes:
            yield CHANGED_SINCE

    def _faults_of_words(self, words: str, original: str) -> Iterator[str]:
        if not words:
            yield EMPTIED
        if ERROR_VALUE.fullmatch(words):
            yield IS_ERROR
        if FORMULA.match(words) and not FORMULA.match(original):
            yield IS_FORMULA
        if self._has_lost_letters(words, original):
            yield LOST_LETTERS
        if len(words) > MAX_TEXT_LENGTH:
            yield TOO_LONG
        if NOT_STORABLE.search(words):
            yield NOT_STORED

    def _has_lost_letters(self, words: str, original: str) -> bool:
        """Return True if letters of `words` became question marks, or were encoded twice, when the table was saved.

        `original` is the English text. Its own question marks, which a translation may keep, do not count.
        """
        if self.is_narrow and words.count("?") > original.count("?"):
            return True
        return (LOST.search(words) is not None and LOST.search(original) is None) or _is_encoded_twice(words)


def _is_encoded_twice(words: str) -> bool:
    try:
        return words.encode(NARROW).decode() != words
    except UnicodeError:
        return False
