"""The check of an editor's file, before it is agreed on and published."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from sqlmodel import Session

from app.errors import SeedError, SeedFileError
from app.models.digest import digest_of
from app.models.guidance.edition_files import EditionFile, read_edition_file
from app.models.guidance.editions import EditionContent
from app.models.guidance.file_warnings import find_unchanged, find_warnings
from app.models.guidance.seed_files import edition_place
from app.services.guidance.reference_data import ReferenceData
from app.store.contents import read_content
from app.store.editions import EditionHead, EditionKey, current_of, every_edition, find_history

WARNING = "warning: "


@dataclass(frozen=True)
class PublishedGuides:
    """What is published: the names of all guides, and one guide with its current edition."""

    names: tuple[str, ...]
    history: Sequence[EditionHead]
    current: EditionContent | None

    @property
    def next_number(self) -> int:
        """The number that the guide's next edition has."""
        return len(self.history) + 1


@dataclass(frozen=True)
class CheckedFile:
    """A file without faults: the edition that it would be, its digest, and warnings in the order of the lines."""

    file: EditionFile
    key: EditionKey
    digest: str
    warnings: tuple[SeedError, ...]
    is_new_guide: bool | None
    """None if there is no database to compare with."""


def read_published(session: Session, guide: str) -> PublishedGuides:
    """Return what is published of the guide, or the names of all guides where it has no edition yet."""
    history = find_history(session, guide=guide)
    current = current_of(history)
    names = () if history else tuple(dict.fromkeys(key.guide for key, _ in every_edition(session)))
    return PublishedGuides(names, history, read_content(session, current.key) if current else None)


def check_file(path: Path, reference_data: ReferenceData, session: Session | None, *, today: dt.date) -> CheckedFile:
    """Return the file if it can be published. Raise `SeedFileError` with every fault."""
    key, file = None, None
    faults: list[SeedError] = []
    try:
        key = EditionKey(*edition_place(path))
    except SeedFileError as refusal:
        faults += refusal.faults
    try:
        file = read_edition_file(path)
        faults += [file.seed_error(each.at, each.detail) for each in reference_data.faults_in_codes(file.content)]
    except SeedFileError as refusal:
        faults += refusal.faults
    published = read_published(session, key.guide) if session is not None and key is not None else None
    digest = digest_of(file.content) if file is not None else None
    if key is not None and published is not None:
        faults += [SeedError(0, fault) for fault in _faults_in_place(key, digest, published)]
    if faults or key is None or file is None or digest is None:
        raise SeedFileError(path, faults)
    warnings = sorted(_warnings(file, key, digest, published, today=today))
    return CheckedFile(file, key, digest, tuple(warnings), None if published is None else not published.history)


def _faults_in_place(key: EditionKey, digest: str | None, published: PublishedGuides) -> Iterator[str]:
    following = f"name the file `{published.next_number}.yaml`"
    if key.number > published.next_number:
        if not published.history:
            yield f"no guide `{key.guide}` is published, and the first edition of a new guide is `1.yaml`." + _meant(
                key, published
            )
        else:
            yield f"the next edition of `{key.guide}` is {published.next_number}: {following}"
    known = next((head for head in published.history if head.number == key.number), None)
    if known is not None and digest not in (None, known.digest):
        yield f"edition {key.number} of `{key.guide}` is published, and never changes: {following}"


def _warnings(
    file: EditionFile, key: EditionKey, digest: str, published: PublishedGuides | None, *, today: dt.date
) -> Iterator[SeedError]:
    found = list(find_warnings(file.content, today))
    if published is not None and published.current is not None and key.number == published.next_number:
        found += find_unchanged(file.content, published.current)
    for at, reason in found:
        error = file.seed_error(at, reason)
        yield SeedError(error.line if at else 0, f"{WARNING}{error.reason if at else reason}")
    if published is None:
        yield SeedError(0, f"{WARNING}there is no database here, so the words were compared with no published edition")
    elif not published.history:
        yield SeedError(
            0, f"{WARNING}no guide `{key.guide}` is published: this is a new guide." + _meant(key, published)
        )
    elif digest in {head.digest for head in published.history}:
        yield SeedError(0, f"{WARNING}these words are published already")


def _meant(key: EditionKey, published: PublishedGuides) -> str:
    close = get_close_matches(key.guide, published.names, n=1)
    return f" If you mean `{close[0]}`, put the file into the folder `{close[0]}`." if close else ""
