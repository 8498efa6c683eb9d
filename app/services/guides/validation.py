"""Validation of an edition file before publication, and the creation of new edition files."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from sqlmodel import Session

from app.errors import FieldError, SeedError, SeedFileError, SetupError
from app.models.base import SLUG_PATTERN, digest_of
from app.models.guides import editions
from app.models.guides.edition_files import EditionFile, edition_yaml, read_sound_entries
from app.models.guides.edition_keys import EditionKey
from app.models.guides.editions import EditionContent
from app.models.guides.fault_words import sentence_at
from app.models.guides.seed_files import FileTree, edition_place, read_tree
from app.models.guides.written_checks import Fault, find_unchanged, find_warnings, parse_written
from app.services.guides.editions import EditionHead, current_of, every_publication, find_history, read_content
from app.services.guides.reference_data import ReferenceData

WARNING = "warning: "
SKELETON = Path(editions.__file__).with_name("new_guide.yaml")
REVIEWED_AFTER = dt.timedelta(days=365)
NEXT_EDITION = "Edition {number} of {guide}. Edit the content, and describe the changes in `change_note`."


@dataclass(frozen=True)
class PublishedGuide:
    """The published editions of a guide, most recent first. If it has none, `names` are all published guides."""

    names: tuple[str, ...]
    history: Sequence[EditionHead]
    current: EditionContent | None

    @property
    def next_number(self) -> int:
        return len(self.history) + 1


@dataclass(frozen=True)
class CheckedFile:
    """A file that can be published. Warnings are in the order of the lines."""

    file: EditionFile
    key: EditionKey
    digest: str
    warnings: tuple[SeedError, ...]
    is_new_guide: bool | None
    """None without a database to compare with."""


def read_published(session: Session, guide: str) -> PublishedGuide:
    """Return the published editions. For a guide without one, also the names of all published guides."""
    history = find_history(session, guide=guide)
    current = current_of(history)
    names = () if history else tuple(dict.fromkeys(key.guide for key, _ in every_publication(session)))
    return PublishedGuide(names, history, read_content(session, current.key) if current else None)


def check_file(path: Path, reference_data: ReferenceData, session: Session | None, *, today: dt.date) -> CheckedFile:
    """Raise `SeedFileError` with errors and warnings. Without `session`, nothing is compared with what is published."""
    key, faults = None, list[SeedError]()
    try:
        key = EditionKey(*edition_place(path))
    except SeedFileError as refusal:
        faults += refusal.faults
    try:
        value, tree = read_tree(path)
    except SeedFileError as refusal:
        raise SeedFileError(path, [*faults, *refusal.faults]) from None
    content, written = parse_written(value)
    unknown = [(each.at, each.detail) for each in unknown_codes(reference_data, content)]
    faults += [*tree.faults, *(tree.fault_at(*each) for each in (*written, *unknown))]
    digest = digest_of(content) if content is not None and not faults else None
    published = read_published(session, key.guide) if session is not None and key is not None else None
    if key is not None and published is not None:
        faults += [SeedError(0, fault) for fault in _faults_in_place(key, digest, published)]
    warnings = sorted(_warnings(value, tree, key, digest, published, today=today))
    if faults or key is None or content is None or digest is None:
        raise SeedFileError(path, faults, warnings)
    file = EditionFile(path, content, tree)
    return CheckedFile(file, key, digest, tuple(warnings), None if published is None else not published.history)


def unknown_codes(reference_data: ReferenceData, content: EditionContent | None) -> list[FieldError]:
    found = reference_data.faults_in_codes(content) if content is not None else []
    return [FieldError(each.at, sentence_at(each.at, each.detail), each.code) for each in found]


def warnings_in(value: object, current: EditionContent | None, *, today: dt.date) -> list[Fault]:
    """Return likely mistakes with their locations, also by comparison with `current`. Unparsable parts are left out.

    An item without a position gets one, in place.
    """
    if not isinstance(value, dict):
        return []
    content, unread = read_sound_entries(value)
    found = [*find_warnings(content, today), *(find_unchanged(content, current) if current is not None else ())]
    return [(at, sentence_at(at, reason)) for at, reason in found if not {at[:1], at[:2]} & unread]


def _faults_in_place(key: EditionKey, digest: str | None, published: PublishedGuide) -> Iterator[str]:
    following = f"name the file `{published.next_number}.yaml`"
    if key.number > published.next_number:
        if not published.history:
            yield (
                f"no guide `{key.guide}` is published, and the first edition of a new guide is `1.yaml`."
                + suggest_folder(key.guide, published.names)
            )
        else:
            yield f"the next edition of `{key.guide}` is {published.next_number}: {following}"
    known = next((head for head in published.history if head.number == key.number), None)
    if known is not None and digest != known.digest:
        yield f"edition {key.number} of `{key.guide}` is published, and never changes: {following}"


def _warnings(
    value: object,
    tree: FileTree,
    key: EditionKey | None,
    digest: str | None,
    published: PublishedGuide | None,
    *,
    today: dt.date,
) -> Iterator[SeedError]:
    is_next = published is not None and key is not None and key.number == published.next_number
    for at, reason in warnings_in(value, published.current if published and is_next else None, today=today):
        line = tree.line_of(at)
        yield SeedError(line if line != tree.line_of(()) else 0, f"{WARNING}{reason}")
    if published is None:
        yield SeedError(0, f"{WARNING}there is no database, so the content was not compared with a published edition")
    elif not published.history and key is not None and key.number == 1:
        yield SeedError(
            0,
            f"{WARNING}no guide `{key.guide}` is published: this is a new guide."
            + suggest_folder(key.guide, published.names),
        )
    elif digest in {head.digest for head in published.history}:
        yield SeedError(0, f"{WARNING}this content is already published")


def suggest_folder(guide: str, names: Sequence[str]) -> str:
    """Return a sentence about a similar name, or an empty string."""
    close = get_close_matches(guide, names, n=1)
    return f" If you mean `{close[0]}`, move the file to the folder `{close[0]}`." if close else ""


def write_new_file(folder: Path, slug: str, session: Session | None, *, today: dt.date) -> tuple[Path, bool]:
    """Write the next edition's file and the JSON Schema. Return the path, and True if no edition is known.

    The file has the current content, or a skeleton to review in 365 days. Raise `SetupError` if `slug` is not a name
    for a guide or the file exists.
    """
    published = read_published(session, slug) if session is not None else None
    if published is None or published.current is None:
        number = published.next_number if published else 1
        return write_draft(folder, slug, _skeleton(slug, today), number), not (published and published.history)
    number = published.next_number
    text = edition_yaml(published.current, NEXT_EDITION.format(number=number, guide=slug))
    return write_draft(folder, slug, text, number), False


def write_draft(folder: Path, slug: str, text: str, number: int = 1) -> Path:
    """Write `<slug>/<number>.yaml`, and the JSON Schema beside it.

    Raise `SetupError` if `slug` is none or the file exists.
    """
    if not re.fullmatch(SLUG_PATTERN, slug):
        raise SetupError(
            "the name of a guide must be lower-case words joined by hyphens, such as child-criminal-exploitation"
        )
    path = folder / slug / f"{number}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise SetupError(f"{path} exists; choose another name") from None
    (folder / editions.SCHEMA_FILE).write_text(editions.edition_schema_json(), encoding="utf-8")
    return path


def _skeleton(slug: str, today: dt.date) -> str:
    words = SKELETON.read_text(encoding="utf-8")
    filled = {"slug": slug, "title": slug.replace("-", " ").capitalize(), "review_by": today + REVIEWED_AFTER}
    for name, value in (filled | {"today": today}).items():
        words = words.replace(f"{{{name}}}", str(value))
    return f"{editions.SCHEMA_LINE}\n{words}"
