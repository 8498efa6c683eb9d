"""What the page of a concern shows of it: its words, or its words sealed, or what an erasure left."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.errors import ConcernErased
from app.models.desk.concerns import InboxEntry
from app.models.entries import AdditionEntry, NoteEntry
from app.pages.desk.added_pages import ADDED_ON_PAGE, sealed_texts_of
from app.pages.desk.referral import referral_of
from app.pages.desk.sealed_text import CONCERN, SealedText
from app.pages.form_answers import AnsweredSection
from app.presenters.desk import entry_of, opened_concern
from app.presenters.entries import listed_addition, listed_note, opened_notes
from app.services.desk import opening
from app.services.entries import read_page
from app.web.context import AppContext
from app.web.people import Visitor

NOTES_ON_PAGE = 20
"""The last ones. Their sealed bytes together are fewer than those of a page."""


@dataclass(frozen=True)
class Shown:
    """What is shown of a concern: with its words, with its words sealed, or without."""

    opening: opening.Opening
    entry: InboxEntry
    additions: tuple[AdditionEntry, ...]
    notes: tuple[NoteEntry, ...]
    sections: list[AnsweredSection] | None = None
    sealed: SealedText | None = None
    sealed_additions: Mapping[int, SealedText] = field(default_factory=dict)
    sealed_notes: Mapping[int, SealedText] = field(default_factory=dict)


def show_concern(context: AppContext, visitor: Visitor, reference: str, now: dt.datetime) -> Shown:
    """Return the concern as far as this service can show it, after that is on the record, once.

    Raises `NoSuchConcern`.
    """
    try:
        wanted = opening.Wanted("opened here", ADDED_ON_PAGE, NOTES_ON_PAGE, context.unsealer.fingerprints)
        recorded = opening.open_concern(context.writer, reference, wanted, actor=visitor.actor, at=now)
    except ConcernErased:
        return _view(context, visitor, reference, now)
    return _with_words(context, recorded, now) if recorded.opens else _sealed(context, recorded, now)


def _with_words(context: AppContext, recorded: opening.Opening, now: dt.datetime) -> Shown:
    sealed = opening.read_sealed_concern(context.engine, recorded.concern.reference)
    additions = read_page(context.engine, recorded.page)
    opened = opened_concern(recorded, sealed, additions, context.unsealer, now=now)
    notes = opened_notes(read_page(context.engine, recorded.notes), context.unsealer)
    return Shown(recorded, opened, opened.additions, notes, referral_of(context, opened))


def _sealed(context: AppContext, recorded: opening.Opening, now: dt.datetime) -> Shown:
    """Return the concern with its words sealed, to be opened elsewhere."""
    concern = recorded.concern
    sealed = opening.read_sealed_concern(context.engine, concern.reference)
    return replace(
        _without_words(recorded, now),
        sealed=SealedText(CONCERN, concern.reference, 0, concern.received_at, sealed),
        sealed_additions=sealed_texts_of(context, recorded.page),
        sealed_notes=sealed_texts_of(context, recorded.notes),
    )


def _view(context: AppContext, visitor: Visitor, reference: str, now: dt.datetime) -> Shown:
    """Return the concern without its words."""
    viewed = opening.view_concern(
        context.writer, reference, actor=visitor.actor, at=now, limit=ADDED_ON_PAGE, last_notes=NOTES_ON_PAGE
    )
    return _without_words(viewed, now)


def _without_words(recorded: opening.Opening, now: dt.datetime) -> Shown:
    additions = tuple(listed_addition(row, now=now) for row in recorded.page.rows)
    notes = tuple(map(listed_note, recorded.notes.rows))
    return Shown(recorded, entry_of(recorded.concern, now=now), additions, notes)
