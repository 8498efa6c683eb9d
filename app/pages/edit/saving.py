"""Saving one section of a draft: the words that the page was drawn from must still be there."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from app.errors import DraftChanged
from app.models.guidance.guide_tables import GuideDraftRow
from app.pages.edit.sections import NOT_BEGUN, do_act, section_tag, with_ids, with_section
from app.pages.edit.starting import first_words, published_ids
from app.pages.form_answers import SubmittedForm
from app.services.guidance.guide_drafts import write_guide_draft
from app.store.editions import current_of, find_history
from app.web.context import AppContext


@dataclass(frozen=True)
class SavedSection:
    """The draft as it is saved now, and the entry that a button was about."""

    draft: GuideDraftRow
    entry: str


def save_section(
    context: AppContext,
    session: Session,
    guide: str,
    page: str,
    *,
    posted: SubmittedForm,
    shown: str,
    act: str,
    by: str,
    at: dt.datetime,
) -> SavedSection:
    """Save what was posted, and do what the button says. `shown` is the tag of the section as the page was drawn.

    Raises `DraftChanged` where somebody saved other words of this section since. What others did to other sections of
    the draft stays.
    """
    current = current_of(find_history(session, guide=guide))
    ids = published_ids(context.contents(current.key, session) if current else None, page)
    beginning = first_words(context, session, guide) if shown == NOT_BEGUN else {}  # a draft there refuses other tags
    entries: list[str] = []

    def change(draft: GuideDraftRow | None) -> dict[str, Any]:
        former = draft.read() if draft is not None else None
        if section_tag(former, page) != shown and not (act == "" and _is_saved(former, page, posted, ids)):
            raise DraftChanged
        content = with_section(former if former is not None else beginning, page, posted)
        entries.append(do_act(content, act))
        return with_ids(content, page, former or {}, ids)

    draft = write_guide_draft(context.writer, guide, change, by=by, at=at)
    return SavedSection(draft, entries[-1])


def _is_saved(former: dict[str, Any] | None, page: str, posted: SubmittedForm, ids: Collection[str]) -> bool:
    """Return whether these words are saved already: the answer was lost, and the page sends them again."""
    if former is None:
        return False
    again = with_ids(with_section(former, page, posted), page, former, ids)
    return section_tag(again, page) == section_tag(former, page)
