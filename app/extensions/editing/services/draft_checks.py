"""Validation of the draft of an edition before publication."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from app.errors import FieldError, InvalidEdition
from app.extensions.editing.tables import GuideDraftRow
from app.models.base import digest_of
from app.models.coded_values import member_reader
from app.models.guides.editions import EditionContent
from app.models.guides.sections import ITEM_LISTS
from app.models.guides.written_checks import parse_written, place_items
from app.services.guides.editions import current_of
from app.services.guides.reference_data import ReferenceData
from app.services.guides.validation import PublishedGuide, read_published, unknown_codes, warnings_in

NOTHING_CHANGED = "the content is the same as the current edition: nothing would change"


@dataclass(frozen=True)
class CheckedDraft:
    """`content` and `digest` are None if there is any fault."""

    draft: GuideDraftRow
    published: PublishedGuide
    content: EditionContent | None
    digest: str | None
    faults: tuple[FieldError, ...]
    warnings: tuple[FieldError, ...]

    @property
    def follows(self) -> int | None:
        """Return the number of the edition that the draft follows, or None for a new guide."""
        return len(self.published.history) or None

    def require_sound(self) -> tuple[EditionContent, str]:
        """Return the content and its digest. Raise `InvalidEdition` with every error."""
        if self.content is None or self.digest is None:
            raise InvalidEdition(self.faults)
        return self.content, self.digest


def check_draft(
    session: Session, draft: GuideDraftRow, reference_data: ReferenceData, *, today: dt.date
) -> CheckedDraft:
    """Check by the rules of `guidance check`. Content that equals the current edition is an error here."""
    published = read_published(session, draft.guide)
    content, written = parse_written(draft.read())
    faults = [FieldError(*each) for each in written] + unknown_codes(reference_data, content)
    current = current_of(published.history)
    digest = digest_of(content) if content is not None and not faults else None
    if digest is not None and current is not None and current.digest == digest:
        faults.append(FieldError((), NOTHING_CHANGED))
    warnings = tuple(_warnings_of_draft(draft, published, today))
    sound, its_digest = (None, None) if faults else (content, digest)
    return CheckedDraft(draft, published, sound, its_digest, tuple(faults), warnings)


def read_partly(value: dict[str, Any], current: EditionContent) -> tuple[EditionContent, tuple[str, ...]]:
    """Return the draft `value` as an edition, and the names of its invalid fields.

    In the edition, the invalid fields have their values from `current`. A list with a repeated id is invalid. Also
    change `value` in place: give each item without a position its place in the list.
    """
    place_items(value)
    members: dict[str, Any] = {}
    unread: list[str] = []
    for name, field in EditionContent.model_fields.items():
        if name not in value and not field.is_required():
            members[name] = field.get_default(call_default_factory=True)
            continue
        try:
            members[name] = member_reader(EditionContent, name).validate_json(json.dumps(value.get(name)), strict=True)
        except ValidationError:
            unread.append(name)
        else:
            if name in ITEM_LISTS and len({item.id for item in members[name]}) < len(members[name]):
                unread.append(name)
    members |= {name: getattr(current, name) for name in unread}
    return EditionContent.model_construct(**members), tuple(unread)


def _warnings_of_draft(draft: GuideDraftRow, published: PublishedGuide, today: dt.date) -> Iterator[FieldError]:
    yield from (FieldError(*each) for each in warnings_in(draft.read(), published.current, today=today))
    current = current_of(published.history)
    if current is not None and current.published_at > draft.begun_at:
        yield FieldError((), f"edition {current.number} was published after this draft was started: compare them")
    if not published.history:
        close = get_close_matches(draft.guide, published.names, n=1)
        meant = f" If you mean `{close[0]}`, write the draft of that guide." if close else ""
        yield FieldError((), f"no guide `{draft.guide}` is published: this is a new guide.{meant}")
