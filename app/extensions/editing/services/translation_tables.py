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

from app.extensions.editing.services.documents import one_line
from app.extensions.editing.services.drafts import DraftContent
from app.extensions.editing.services.rendition_drafts import (
    TextPair,
    TextPath,
    own_texts,
    read_parts,
    take_texts,
    texts_of,
)
from app.models.base import MAX_TEXT_LENGTH, NOT_STORABLE
from app.models.guides.editions import EditionContent
from app.services.csv_sheets import FORMULA, csv_sheet, safe_cell

MAX_TABLE_BYTES = 900_000
"""A body of more than 1 MB is refused before it is read."""
MAX_BLANK_ROWS, MAX_ROWS = 2_500, 10_000
"""Limits of the rows of an uploaded table. The lists of the largest guide have fewer rows than `MAX_ROWS`."""
KEY, ENGLISH, TRANSLATION, LOCKED, NOTE, VERSION = "Key", "English text", "Translation", "Locked", "Note", "Version"
NEEDED = (KEY, ENGLISH, TRANSLATION, VERSION)
YES, NO = "yes", "no"
NOTE_LOCKED = "Cautions and texts with 999 are translated on the page only."
NOTE_CHANGED = "The English text has changed. It was: {}"
NOTE_MISSING = "No translation yet."
CAUTIONS, CONTACTS = "cautions/", "contacts/"
EMERGENCY = re.compile(r"(?<![0-9])(?<![0-9] )(?:999|112|18000)(?! ?[0-9])")
"""999, 112, and 18000 for Relay UK, not as part of a longer number."""
SEPARATORS = ",;\t"
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of files of Excel and LibreOffice."""
NARROW = "cp1252"
"""Encoding in which Excel saves CSV by default: letters that it lacks become question marks."""
ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"", "utf-8"),
    (b"", NARROW),
)
"""Encodings that spreadsheets write, with the bytes at the beginning, in the order of trying."""
TAG = re.compile(r"\(([A-Za-z0-9-]{2,40})\)")
"""Language tag in brackets after the column's name."""
ERROR_VALUE = re.compile(r"#[\w/]{1,20}[?!]?|Err:[0-9]{3}")
"""Value shown in place of a formula that fails."""
LOST = re.compile(r"\?(?=\w)|\?{3}|\ufffd")
"""Signs that a letter was lost: `?` before a letter, `???`, or U+FFFD."""
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
    """The message is a sentence for editors."""


@dataclass(frozen=True)
class FilledRow:
    """A row as a translator filled it. `number` is the spreadsheet's, and `version` the downloaded row's digest."""

    number: int
    key: TextPath
    english: str
    translation: str
    version: str


@dataclass(frozen=True)
class FilledTable:
    """An uploaded table. `is_narrow`: its encoding lacks many languages' letters. `fault`: part could not be read."""

    rows: tuple[FilledRow, ...]
    is_narrow: bool
    fault: str = ""


@dataclass(frozen=True)
class RefusedRow:
    """A row with a sentence for editors. Path and translation are empty if it is not about a row."""

    reason: str
    path: TextPath = ""
    translation: str = ""


@dataclass(frozen=True)
class TableOutcome:
    """The draft's new content, and the rows taken and refused. `absent` are texts without a row."""

    content: DraftContent
    taken: int
    refused: tuple[RefusedRow, ...]
    absent: tuple[TextPath, ...]


def locked_texts(edition: EditionContent) -> frozenset[TextPath]:
    """Return the texts that no table may change: cautions, and texts or contacts with an emergency number."""
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
    """Return CSV in UTF-8 with a byte order mark, which Excel needs."""
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
    """Ignore white space, which spreadsheets change. The result begins with a letter: none takes it for a number."""
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
                values = (_plain_cell(cells[place]) if place < len(cells) else "" for place in columns)
                rows.append(FilledRow(number, *values))
    except csv.Error:
        fault = BROKEN.format(number + 1)
    return FilledTable(tuple(rows), encoding == NARROW, fault)


def _plain_cell(cell: str) -> str:
    """Undo `safe_cell` in a cell that a spreadsheet saved. CRLF becomes LF, and blanks at the ends go."""
    text = cell.replace("\r\n", "\n").strip()
    bare = text.removeprefix("'")
    return bare if safe_cell(bare) == text else text


def _decode(data: bytes) -> tuple[str, str]:
    """Return text and encoding. Raise `TableRefused`."""
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
    """Return the index of each of `NEEDED`. Raise `TableRefused`."""
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
    """Take what `table` changes; a row with a fault goes to `refused`.

    So does a change of a translation that differs from the downloaded one, unless `over_changes`.
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
    """Texts with which rows are compared: `originals` and `saved` by path."""

    originals: Mapping[TextPath, str]
    saved: Mapping[TextPath, str]
    locked: frozenset[TextPath]
    is_narrow: bool
    over_changes: bool

    def changes(self, row: FilledRow) -> bool:
        """Return True if the translation is neither the draft's nor the downloaded one."""
        digest = _short_digest(row.translation)
        return digest not in (row.version, _short_digest(self.saved.get(row.key, "")))

    def fault_of(self, rows: Sequence[FilledRow]) -> RefusedRow | None:
        """`rows` have the same key."""
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
        """Question marks of `original`, which a translation may keep, do not count."""
        if self.is_narrow and words.count("?") > original.count("?"):
            return True
        return (LOST.search(words) is not None and LOST.search(original) is None) or _is_encoded_twice(words)


def _is_encoded_twice(words: str) -> bool:
    try:
        return words.encode(NARROW).decode() != words
    except UnicodeError:
        return False
