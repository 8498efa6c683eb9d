"""One concern: its words as a referral where this service can open it, what was added, and what was done."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Path, Response
from sqlmodel import Session

from app.errors import ConcernErased, UnsealingUnavailable
from app.models.desk.additions import AdditionEntry
from app.models.desk.concerns import InboxEntry
from app.pages.desk.added_pages import ADDITIONS_ON_PAGE, give_additions_sealed, open_additions, sealed_additions_of
from app.pages.desk.clock_words import due_of, time_left
from app.pages.desk.desk_route import DeskRoute
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.desk.page import desk_page
from app.pages.desk.referral import referral_of
from app.pages.desk.referral_layout import layout_of
from app.pages.desk.sealed_text import CONCERN, GIVEN, SealedText
from app.pages.form.form_view import AnsweredSection
from app.pages.text_format import spoken
from app.presenters.desk import entry_of, listed_addition, opened_concern, reference_of
from app.services.desk import opening
from app.services.desk.viewing import view_concern
from app.store.acts import list_last_acts
from app.store.added_texts import ADDITIONS
from app.web.context import AppContext, ContextDep, NowDep
from app.web.cursors import decode_key, encode_key
from app.web.people import PageReaderDep, Visitor
from app.web.query_params import Cursor
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)


ACTS_SHOWN = 50
ConcernReferenceInPath = Annotated[str, Path(max_length=60)]


@dataclass(frozen=True)
class Shown:
    """What is shown of a concern: with its words, or without."""

    entry: InboxEntry
    additions: tuple[AdditionEntry, ...]
    additions_in_all: int
    sections: list[AnsweredSection] | None = None
    sealed: SealedText | None = None
    sealed_additions: Mapping[int, SealedText] = field(default_factory=dict)
    next_after: int | None = None


@router.get("/{reference}")
def read_concern_page(
    context: ContextDep, visitor: PageReaderDep, now: NowDep, reference: ConcernReferenceInPath
) -> Response:
    """Return the concern. Each view is one disclosure, with the person's name."""
    parsed = reference_of(reference)
    shown = _open(context, visitor, parsed, now) if context.unsealer.can_unseal else None
    shown = shown or _give_sealed(context, visitor, parsed, now) or _view(context, visitor, parsed, now)
    with Session(context.engine) as session:
        acts = list_last_acts(session, parsed, limit=ACTS_SHOWN)
    due = due_of(shown.entry)
    return desk_page(
        context,
        "desk_concern.html",
        visitor=visitor,
        concern=shown.entry,
        shown=shown,
        left=time_left(due, now) if due is not None else None,
        aloud=spoken(parsed),
        outcomes=context.reference_data.get_code_list("outcome").codes,
        acts=acts,
        layout=layout_of(context, shown.entry.guide, shown.entry.edition) if shown.sealed is not None else None,
        next_additions=_additions_address(parsed, shown.next_after),
        printed_at=now,
    )


@router.get("/{reference}/additions")
def read_additions_page(
    *,
    context: ContextDep,
    visitor: PageReaderDep,
    now: NowDep,
    reference: ConcernReferenceInPath,
    cursor: Cursor = None,
) -> Response:
    """Return a further page of what was added: with its words where they can be opened here, else sealed."""
    place = opening.PagePlace(ADDITIONS, reference_of(reference), decode_key(cursor, otherwise=0))
    shown = open_additions(context, visitor, place, now) if context.unsealer.can_unseal else None
    additions, sealed, next_after = shown or give_additions_sealed(context, visitor, place, now)
    return desk_page(
        context,
        "desk_additions.html",
        visitor=visitor,
        reference=place.reference,
        additions=additions,
        sealed_additions=sealed,
        next_additions=_additions_address(place.reference, next_after),
    )


def _open(context: AppContext, visitor: Visitor, reference: str, now: dt.datetime) -> Shown | None:
    """Return the concern with its words, or None if they were erased, or were sealed to other identities."""
    try:
        recorded = opening.open_concern(
            context.writer, reference, actor=visitor.actor, at=now, how="opened here", limit=ADDITIONS_ON_PAGE
        )
        sealed = opening.read_sealed_concern(context.engine, reference)
        additions = opening.read_page(context.engine, recorded.page)
        opened = opened_concern(recorded, sealed, additions, context.unsealer, now=now)
    except (ConcernErased, UnsealingUnavailable):
        return None
    sections = referral_of(context, opened)
    return Shown(opened, opened.additions, recorded.additions, sections, next_after=recorded.page.next_after)


def _give_sealed(context: AppContext, visitor: Visitor, reference: str, now: dt.datetime) -> Shown | None:
    """Return the concern with its words sealed, to be opened elsewhere, or None if they were erased."""
    try:
        recorded = opening.open_concern(
            context.writer, reference, actor=visitor.actor, at=now, how=GIVEN, limit=ADDITIONS_ON_PAGE
        )
        sealed = opening.read_sealed_concern(context.engine, reference)
        additions, sealed_additions = sealed_additions_of(context, recorded.page, now)
    except ConcernErased:
        return None
    concern = recorded.concern
    return Shown(
        entry_of(concern, now=now),
        additions,
        recorded.additions,
        sealed=SealedText(CONCERN, reference, 0, concern.received_at, sealed),
        sealed_additions=sealed_additions,
        next_after=recorded.page.next_after,
    )


def _view(context: AppContext, visitor: Visitor, reference: str, now: dt.datetime) -> Shown:
    """Return the concern without its words."""
    viewed = view_concern(context.writer, reference, actor=visitor.actor, at=now, limit=ADDITIONS_ON_PAGE)
    additions = tuple(listed_addition(row, now=now) for row in viewed.page.rows)
    entry = entry_of(viewed.concern, now=now)
    return Shown(entry, additions, viewed.additions, next_after=viewed.page.next_after)


def _additions_address(reference: str, after: int | None) -> str | None:
    return None if after is None else f"{CONCERN_PAGES}/{reference}/additions?cursor={encode_key(after)}"
