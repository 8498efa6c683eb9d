"""The check of a draft: what must be corrected before it is published, and what is rarely meant."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from sqlmodel import Session

from app.faults import FieldError
from app.models.digest import digest_of
from app.models.guidance.editions import EditionContent
from app.models.guidance.guide_tables import GuideDraftRow
from app.models.guidance.written_editions import parse_written
from app.services.guidance.checking import PublishedGuides, read_published, unknown_codes, warnings_in
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
    value = draft.read()
    content, written = parse_written(value)
    faults = [FieldError(*each) for each in written] + unknown_codes(reference_data, value, written)
    current = current_of(published.history)
    digest = digest_of(content) if content is not None and not faults else None
    if digest is not None and current is not None and current.digest == digest:
        faults.append(FieldError((), NOTHING_CHANGED))
    warnings = tuple(_warnings(draft, published, today))
    if faults:
        return CheckedDraft(draft, published, None, None, tuple(faults), warnings)
    return CheckedDraft(draft, published, content, digest, (), warnings)


def _warnings(draft: GuideDraftRow, published: PublishedGuides, today: dt.date) -> Iterator[FieldError]:
    yield from (FieldError(*each) for each in warnings_in(draft.read(), published.current, today=today))
    current = current_of(published.history)
    if current is not None and current.published_at > draft.begun_at:
        yield FieldError((), f"edition {current.number} was published after this draft was begun: compare them")
    if not published.history:
        close = get_close_matches(draft.guide, published.names, n=1)
        meant = f" If you mean `{close[0]}`, write the draft of that guide." if close else ""
        yield FieldError((), f"no guide `{draft.guide}` is published: this is a new guide.{meant}")
