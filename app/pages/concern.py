"""The pages of one concern: its words as far as this service opens them, what was added, and what was done."""

import base64
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import orjson
from fastapi import Query, Request, Response
from sqlalchemy import Row
from sqlmodel import Session

from app.errors import ConcernErased, NotFound
from app.http.auth import PUBLIC, PageReaderDep, Visitor
from app.http.context import AppContext, ContextDep, NowDep
from app.http.negotiation import JSON
from app.http.params import IN_PLAIN_DIGITS, Cursor, GuidanceRouter
from app.http.responses import CACHE_CURRENT, conditional_response
from app.models.base import format_utc
from app.models.entries import AdditionEntry, EntryKind, MessageEntry, NoteEntry
from app.models.hand_overs import HandOverRow
from app.models.inbox import InboxEntry
from app.models.record import DeskAct
from app.pages.acts import desk_forms
from app.pages.desk import AS_FILE, DeskRoute, desk_page
from app.pages.form_answers import AnsweredSection
from app.pages.inbox import CONCERN_PAGES, ConcernReferenceInPath, due_of, time_left
from app.pages.page import HTML, UNSEAL_PAGE
from app.pages.record import ActLine, act_lines
from app.pages.referral import layout_of, referral_of
from app.pages.text_format import spoken
from app.services import entries, opening
from app.services.acts import list_last_acts
from app.services.cursors import decode_key, encode_key
from app.services.entries import SealedEntries, listed_addition, listed_note, opened_additions, opened_notes
from app.services.hand_overs import list_hand_overs
from app.services.inbox import entry_of, opened_concern, reference_of
from app.services.record import list_meanwhile
from app.services.sign_in import PATH

router = GuidanceRouter(prefix=PATH, include_in_schema=False, route_class=DeskRoute)

CONCERN = "concern"
"""The kind of text that a concern has once. Others have the kinds of `AddedKind`."""
LINE = 64
ADDED_ON_PAGE = 50
NOTES_ON_PAGE = 20
"""The last ones. Their sealed bytes together are fewer than those of a page."""
ACTS_SHOWN = 50
MOST_ACTS = 10**9
SAVED = "sealed file saved"


@dataclass(frozen=True)
class SealedText:
    """One sealed text with its place. The concern itself has number 0, and a note its author."""

    kind: str
    reference: str
    number: int
    received_at: dt.datetime
    sealed: bytes
    author: str = ""

    @property
    def received(self) -> str:
        """When it was received, as the sealed text says it too."""
        return format_utc(self.received_at)

    @property
    def armored(self) -> str:
        """The sealed text in the letters of age's own armor, which the `age` program reads as well."""
        letters = base64.b64encode(self.sealed).decode()
        lines = [letters[start : start + LINE] for start in range(0, len(letters), LINE)]
        return "\n".join(("-----BEGIN AGE ENCRYPTED FILE-----", *lines, "-----END AGE ENCRYPTED FILE-----", ""))


EntryT = TypeVar("EntryT")


class ShownPage(NamedTuple, Generic[EntryT]):
    """A page of entries, the sealed texts of those without words, and the number after which the next page begins.

    `seen` is the number of the act that records it.
    """

    entries: tuple[EntryT, ...]
    sealed: Mapping[int, SealedText]
    next_after: int | None
    seen: int


def read_added_page(
    context: AppContext,
    visitor: Visitor,
    place: entries.PagePlace,
    now: dt.datetime,
    *,
    opened: Callable[[SealedEntries], tuple[EntryT, ...]],
    listed: Callable[[Row[Any]], EntryT],
) -> ShownPage[EntryT]:
    """Return the page: `opened` gives entries with their words, `listed` one without.

    Where the texts were sealed to other identities, they are given sealed.
    """
    keys = context.unsealer.fingerprints
    page = entries.open_page(context.writer, place, actor=visitor.actor, at=now, act=DeskAct.OPENED, fingerprints=keys)
    if page.opens:
        return ShownPage(opened(entries.read_page(context.engine, page)), {}, page.next_after, page.seen)
    return ShownPage(tuple(map(listed, page.rows)), sealed_texts_of(context, page), page.next_after, page.seen)


def sealed_texts_of(context: AppContext, page: entries.EntryPage) -> dict[int, SealedText]:
    """Return the sealed texts of a page by number, additions or notes."""
    return {
        row.number: SealedText(
            page.kind,
            row.reference,
            row.number,
            row.received_at,
            text,
            row.author if page.kind is EntryKind.NOTE else "",
        )
        for row, text in entries.read_page(context.engine, page)
    }


@dataclass(frozen=True)
class DeskWork:
    """What the desk did. `meanwhile` is what came after the acts that the person had seen before their own."""

    questions: Sequence[MessageEntry]
    come_back_by: dt.datetime
    hand_overs: Sequence[HandOverRow]
    acts: Sequence[ActLine]
    meanwhile: Sequence[ActLine]


def read_desk_work(
    context: AppContext, visitor: Visitor, shown: opening.Opening, *, seen_before: int | None
) -> DeskWork:
    """Return it for a concern whose view is on the record. No word of the concern is in it."""
    concern, receipts = shown.concern, context.submissions.receipts
    reference, client = concern.reference, visitor.actor.client
    with Session(context.engine) as session:
        later = [] if seen_before is None else list_meanwhile(session, reference, client=client, seen=seen_before)
        return DeskWork(
            questions=entries.list_messages(session, reference),
            come_back_by=receipts.working_days.after(concern.received_at, days=receipts.come_back_days),
            hand_overs=list_hand_overs(session, reference),
            acts=act_lines(list_last_acts(session, reference, limit=ACTS_SHOWN)),
            meanwhile=act_lines(act for act in later if act.client != client),
        )


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
    additions = entries.read_page(context.engine, recorded.page)
    opened = opened_concern(recorded, sealed, additions, context.unsealer, now=now)
    notes = opened_notes(entries.read_page(context.engine, recorded.notes), context.unsealer)
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


@router.get("/concerns/{reference}")
def read_concern_page(
    *,
    context: ContextDep,
    visitor: PageReaderDep,
    now: NowDep,
    reference: ConcernReferenceInPath,
    seen: Annotated[int | None, Query(ge=0, le=MOST_ACTS), IN_PLAIN_DIGITS] = None,
) -> Response:
    """Return the concern. Each view is one disclosure, with the person's name.

    `seen` is the last act that the person saw before their own: what others did since is at the top of the page.
    """
    parsed = reference_of(reference)
    shown = show_concern(context, visitor, parsed, now)
    entry, recorded = shown.entry, shown.opening
    due = due_of(entry)
    return desk_page(
        context,
        "desk_concern.html",
        visitor=visitor,
        concern=entry,
        shown=shown,
        work=read_desk_work(context, visitor, recorded, seen_before=seen),
        forms=desk_forms(context, visitor, parsed, recorded.seen),
        left=time_left(due, now) if due is not None else None,
        aloud=spoken(parsed),
        layout=layout_of(context, entry.guide, entry.edition) if shown.sealed is not None else None,
        next_additions=_address(parsed, "additions", recorded.page.next_after),
        earlier_notes=_address(parsed, "notes", recorded.notes.next_after),
        printed_at=now,
    )


@router.get("/concerns/{reference}/additions")
def read_additions_page(
    *,
    context: ContextDep,
    visitor: PageReaderDep,
    now: NowDep,
    reference: ConcernReferenceInPath,
    cursor: Cursor = None,
) -> Response:
    """Return a further page of what was added: with its words where they can be opened here, else sealed."""
    place = entries.PagePlace(
        EntryKind.ADDITION, reference_of(reference), decode_key(cursor, otherwise=0), ADDED_ON_PAGE
    )
    page = read_added_page(
        context,
        visitor,
        place,
        now,
        opened=partial(opened_additions, unsealer=context.unsealer, now=now),
        listed=partial(listed_addition, now=now),
    )
    return desk_page(
        context,
        "desk_additions.html",
        visitor=visitor,
        reference=place.reference,
        additions=page.entries,
        forms=desk_forms(context, visitor, place.reference, page.seen),
        sealed_additions=page.sealed,
        next_additions=_address(place.reference, "additions", page.next_after),
    )


@router.get("/concerns/{reference}/notes")
def read_notes_page(
    *,
    context: ContextDep,
    visitor: PageReaderDep,
    now: NowDep,
    reference: ConcernReferenceInPath,
    cursor: Cursor = None,
) -> Response:
    """Return a page of the desk's notes, the oldest first: with their words where they can be opened here."""
    place = entries.PagePlace(EntryKind.NOTE, reference_of(reference), decode_key(cursor, otherwise=0), ADDED_ON_PAGE)
    page = read_added_page(
        context,
        visitor,
        place,
        now,
        opened=partial(opened_notes, unsealer=context.unsealer),
        listed=listed_note,
    )
    return desk_page(
        context,
        "desk_notes.html",
        visitor=visitor,
        reference=place.reference,
        notes=page.entries,
        sealed_notes=page.sealed,
        next_notes=_address(place.reference, "notes", page.next_after),
    )


def _address(reference: str, what: str, after: int | None) -> str | None:
    """Return the address of the page of additions or notes after that number; None where there is none."""
    return None if after is None else f"{CONCERN_PAGES}/{reference}/{what}?cursor={encode_key(after)}"


@router.get("/unseal.html", dependencies=[PUBLIC])
def read_unseal_page(request: Request) -> Response:
    """Return the page that opens a saved concern from disk, as a file. It has no word of any concern."""
    if not UNSEAL_PAGE.is_file():
        raise NotFound
    headers = {"Content-Disposition": AS_FILE.format(UNSEAL_PAGE.name)}
    page = UNSEAL_PAGE.read_bytes()
    return conditional_response(request, page, media_type=HTML, links={}, caching=CACHE_CURRENT, more_headers=headers)


@router.get("/concerns/{reference}/sealed")
def save_sealed_concern(
    *, context: ContextDep, visitor: PageReaderDep, now: NowDep, reference: ConcernReferenceInPath
) -> Response:
    """Return a concern with all its additions, sealed, and the layout of its words, as one file and one disclosure."""
    parsed = reference_of(reference)
    recorded = opening.open_concern(context.writer, parsed, opening.Wanted(SAVED, None), actor=visitor.actor, at=now)
    concern = recorded.concern
    sealed = opening.read_sealed_concern(context.engine, parsed)
    own = SealedText(CONCERN, parsed, 0, concern.received_at, sealed)
    document = {
        "reference": parsed,
        "texts": [*map(_described, (own, *sealed_texts_of(context, recorded.page).values()))],
        "layout": layout_of(context, concern.guide, concern.edition),
    }
    headers = {"Content-Disposition": AS_FILE.format(f"{parsed}.json")}
    return Response(orjson.dumps(document), media_type=JSON, headers=headers)


def _described(text: SealedText) -> dict[str, Any]:
    return {"kind": text.kind, "number": text.number, "received_at": text.received, "sealed": text.armored}
