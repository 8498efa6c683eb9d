"""The check of a draft: what must be corrected before it is published, and what is rarely meant."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlmodel import Session

from app.faults import FieldError, Location
from app.models.digest import digest_of
from app.models.guidance.draft_tables import GuideDraftRow
from app.models.guidance.editions import EditionContent
from app.models.guidance.editor_words import place_in_words
from app.models.guidance.file_warnings import find_unchanged, find_warnings
from app.models.guidance.written_editions import parse_written
from app.services.guidance.checking import PublishedGuides, read_published
from app.services.guidance.reference_data import ReferenceData
from app.store.editions import current_of

NOTHING_CHANGED = "the words are those of the current edition: nothing would change"


@dataclass(frozen=True)
class CheckedDraft:
    """A draft beside what is published. `content` and `digest` are None where it has a fault."""

    draft: GuideDraftRow
    published: PublishedGuides
    content: EditionContent | None
    digest: str | None
    faults: tuple[FieldError, ...]
    warnings: tuple[FieldError, ...]

    @property
    def follows(self) -> int | None:
        """The number of the guide's last edition; None for a new guide."""
        return len(self.published.history) or None


def check_draft(
    session: Session, draft: GuideDraftRow, reference_data: ReferenceData, *, today: dt.date
) -> CheckedDraft:
    """Check the draft as `guidance check` checks a file."""
    published = read_published(session, draft.guide)
    content, written = parse_written(draft.read())
    faults = [FieldError(at, reason) for at, reason in written]
    digest = None
    if content is not None:
        faults += [_in_words(each) for each in reference_data.faults_in_codes(content)]
        digest = digest_of(content)
        current = current_of(published.history)
        if current is not None and current.digest == digest:
            faults.append(FieldError((), NOTHING_CHANGED))
    warnings = tuple(_warnings(draft, content, published, today))
    if faults:
        return CheckedDraft(draft, published, None, None, tuple(faults), warnings)
    return CheckedDraft(draft, published, content, digest, (), warnings)


def _in_words(fault: FieldError) -> FieldError:
    return FieldError(fault.at, _sentence(fault.at, fault.detail), fault.code)


def _sentence(at: Location, reason: str) -> str:
    return f"{place_in_words(at)}: {reason}" if at else reason


def _warnings(
    draft: GuideDraftRow, content: EditionContent | None, published: PublishedGuides, today: dt.date
) -> Iterator[FieldError]:
    found: list[tuple[Location, Any]] = []
    if content is not None:
        found += find_warnings(content, today)
        if published.current is not None:
            found += find_unchanged(content, published.current)
    yield from (FieldError(at, _sentence(at, reason)) for at, reason in found)
    current = current_of(published.history)
    if current is not None and current.published_at > draft.begun_at:
        yield FieldError((), f"edition {current.number} was published after this draft was begun: compare them")
    if not published.history:
        close = get_close_matches(draft.guide, published.names, n=1)
        meant = f" If you mean `{close[0]}`, write the draft of that guide." if close else ""
        yield FieldError((), f"no guide `{draft.guide}` is published: this is a new guide.{meant}")
