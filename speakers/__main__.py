"""`python -m speakers LANGUAGE [SHEET]`: write a sheet for speakers of a language, or take one back."""

import sys
from pathlib import Path

from app.pages.languages import LANGUAGES, SHORT_LANGUAGES, Language
from speakers.corrections import Taken, take
from speakers.pictures import take_pictures
from speakers.sheet import read_sheet, sentences_of, sheet_of
from tests.support.browsing import launch_browser

BY_CODE = {each.code: each for each in (*LANGUAGES[1:], *SHORT_LANGUAGES)}
LARGEST = 50_000_000
"""In bytes. A sheet with all its pictures has less than a tenth."""
FOLDER = Path("build/speakers")


def write_sheet(language: Language, folder: Path = FOLDER) -> Path:
    sentences = sentences_of(language)
    with launch_browser() as browser:
        pictures = take_pictures(browser, language, sentences)
    path = folder / f"speakers-{language.code}.html"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(sheet_of(language, sentences, pictures), encoding="utf-8")
    print(f"{path}: {len(sentences)} sentences, {len(pictures)} with a picture. Send it to a speaker.")
    return path


def take_sheet(language: Language, path: Path) -> Taken | None:
    """Print what was taken. None if the file is no sheet."""
    if not path.is_file() or path.stat().st_size > LARGEST:
        print(f"{path} is no file, or too large for a sheet.")
        return None
    try:
        page = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        print(f"{path} is no sheet: send the file that ‘Save the sheet’ wrote.")
        return None
    taken = take(language, read_sheet(page))
    for line in taken.refused:
        print(line)
    print(f"Corrected translations: {len(taken.corrected)}.")
    print(
        f"Checked by {taken.signed_by}."
        if taken.signed_by
        else f"Nobody is named as checking: {taken.unsigned_because}"
    )
    return taken


def main(code: str = "", sheet: str = "") -> int:
    """Return 1 if a row was refused, 2 if there is nothing to do."""
    language = BY_CODE.get(code)
    if language is None:
        print(f"Name a language: make speakers LANGUAGE=ur. There are {', '.join(BY_CODE)}.")
        return 2
    if not sheet:
        write_sheet(language)
        return 0
    taken = take_sheet(language, Path(sheet))
    return 2 if taken is None else int(bool(taken.refused))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
