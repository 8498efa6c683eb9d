"""A sheet that came back: checked row by row, and written into the catalogue of its language."""

import datetime as dt
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from babel.messages.pofile import read_po, write_po

from app.pages import languages
from app.pages.languages import UNSIGNED, Language
from speakers.sheet import Returned, Sentence, fingerprint, sentences_of
from tests.support.translations import KEPT, PLACEHOLDER, TAG

ADDRESS = re.compile(r"https?://[^\s<\"]+|www\.[^\s<\"]+|[\w.+-]+@[\w-]+\.[\w.-]+")
NUMBER = re.compile(r"\d+")
JOINERS = "\u200c\u200d\u200e\u200f"
"""Invisible letters that scripts need: joiners, and marks of direction."""
NO_NAME = re.compile(r"[^\w .,\'’&()-]")
WIDTH = 100
"""Length of the lines that `make catalogue` writes."""
DATED = re.compile(r'"PO-Revision-Date: [^"]*\\n"\n')
FLAG = re.compile(r"^#, .*\n", re.MULTILINE)
"""Lines that `make catalogue` writes, and files of short pages lack."""
SIGNED = re.compile(r'"Last-Translator: [^"]*\\n"\n')


@dataclass
class Taken:
    corrected: list[Sentence] = field(default_factory=list)
    """With the new translation."""
    refused: list[str] = field(default_factory=list)
    """Sentences for people, each of which names its row."""
    signed_by: str = ""
    unsigned_because: str = ""


def faults_of(sentence: Sentence, translation: str) -> Iterator[str]:
    """Say what the translation lost or gained that the page needs. `sentence` has the translation before it."""
    english = sentence.english
    if not translation:
        yield "the translation is empty."
        return
    for letter in sorted({each for each in translation if unicodedata.category(each)[0] == "C"} - set(JOINERS)):
        yield f"it has an invisible letter (U+{ord(letter):04X}). Take it out."
    numbers = NUMBER.findall(translation)
    if sorted(numbers) not in (sorted(NUMBER.findall(english)), sorted(NUMBER.findall(sentence.now))):
        yield "its numbers are not those of the English. Write them as in the English, in the digits 0 to 9."
    yield from _lost_or_gained(english, translation)
    if TAG.findall(english) and not _closes(translation):
        yield "the parts in < and > are not in their order. Each opens before it closes."
    rest = TAG.sub("", PLACEHOLDER.sub("", translation))
    for sign in sorted(set("<>{}%") & set(rest)):
        yield f"it has the sign {sign}, which the page would read as an instruction. Take it out."


def _lost_or_gained(english: str, translation: str) -> Iterator[str]:
    for pattern in (PLACEHOLDER, TAG, ADDRESS, KEPT):
        wanted, found = Counter(pattern.findall(english)), Counter(pattern.findall(translation))
        for part in wanted - found:
            yield f"{part} is missing. Copy it from the English."
        for part in found - wanted:
            yield f"{part} is not in the English, or not so often. Take it out."


def _closes(translation: str) -> bool:
    opened: list[str] = []
    for name in re.findall(r"<(/?(?!br\b)\w+)", translation):
        if not name.startswith("/"):
            opened.append(name)
        elif not opened or opened.pop() != name[1:]:
            return False
    return not opened


def take(language: Language, sheet: Returned) -> Taken:
    """Write the rows that are right into the catalogue, and who checked it if the sheet is whole and right."""
    taken, current = Taken(), sentences_of(language)
    if sheet.language != language.code:
        taken.refused.append(f"This is no sheet for {language.english_name}: nothing was taken.")
        return taken
    is_current = True
    for each in current:
        known, new = sheet.rows.get(each.key, ("", each.now))
        is_current &= known == fingerprint(each.now) or (known != "" and new == each.now)
        if new == each.now or fingerprint(new) == known:
            continue
        faults = list(faults_of(each, new))
        if known != fingerprint(each.now):
            faults = ["this translation was changed here after the sheet was made. Correct it in a new sheet."]
        taken.refused += [f"Row {each.number}: {fault}" for fault in faults]
        if not faults:
            taken.corrected.append(each._replace(now=new))
    taken.unsigned_because = _why_unsigned(sheet, is_current=is_current, is_refused=bool(taken.refused))
    if not taken.unsigned_because:
        taken.signed_by = sheet.checked_by
    _write(language, taken, sheet.checked_on)
    return taken


def _why_unsigned(sheet: Returned, *, is_current: bool, is_refused: bool) -> str:
    if not sheet.is_whole:
        return "The box ‘I have read every sentence’ is not ticked."
    if not sheet.checked_by or NO_NAME.search(sheet.checked_by):
        return "The name of who checked it is missing, or has signs that no name has."
    try:
        dt.date.fromisoformat(sheet.checked_on)
    except ValueError:
        return "The date is missing, or is no date."
    if is_refused:
        return "Some rows were refused."
    return "" if is_current else "Some sentences are new, or have changed, since the sheet was made. Make a new sheet."


def _write(language: Language, taken: Taken, checked_on: str) -> None:
    """Keep the rest of the file as it is. A correction by somebody who did not read the whole empties the name."""
    if not taken.corrected and not taken.signed_by:
        return
    path = languages.LOCALE_DIR / language.code / "LC_MESSAGES" / f"{language.domain}.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language.code, domain=language.domain)
    for each in taken.corrected:
        catalogue[each.english].string = each.now
    written = io.BytesIO()
    write_po(written, catalogue, width=WIDTH if language.is_whole else 0)
    head, _, _ = path.read_text(encoding="utf-8").partition("\n\n")
    _, _, sentences = written.getvalue().decode().partition("\n\n")
    if not language.is_whole:
        sentences = FLAG.sub("", sentences).rstrip("\n") + "\n"
    head = SIGNED.sub(lambda _: f'"Last-Translator: {taken.signed_by or UNSIGNED}\\n"\n', f"{head}\n")
    if taken.signed_by:
        head = DATED.sub("", head)
        head = head.replace('"Last-Translator', f'"PO-Revision-Date: {checked_on} 12:00+0000\\n"\n"Last-Translator', 1)
        entries = head[head.index("msgid") :]
        head = f"# {language.english_name}, checked by {taken.signed_by} on {checked_on}.\n#\n{entries}"
    path.write_text(f"{head}\n{sentences}", encoding="utf-8")
