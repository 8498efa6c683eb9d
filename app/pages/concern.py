"""The pages of one concern: its words as far as this service opens them, what was added, and what was done."""

import base64
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, NamedTuple

import orjson
from fastapi import Query, Request, Response
from sqlalchemy import Row
from sqlmodel import Session

from app.errors import ConcernErased, NotFound
from app.http.auth import PUBLIC
from app.http.context import AppContext
from app.http.negotiation import JSON
from app.http.params import IN_PLAIN_DIGITS, Cursor, GuidanceRouter
from app.http.responses import CACHE_CURRENT, conditional_response
from app.models.base import format_utc
from app.models.entries import AdditionEntry, EntryKind, NoteEntry
from app.models.inbox import InboxEntry
from app.models.record import DeskAct
from app.pages.acts import desk_forms
from app.pages.desk import AS_FILE, DeskRoute, ReaderVisitDep, Visit
from app.pages.form_answers import AnsweredSection
from app.pages.inbox import CONCERN_PAGES, ConcernReferenceInPath, time_left_for
from app.pages.page import HTML, UNSEAL_PAGE
from app.pages.record import act_lines
from app.pages.referral import layout_of, sections_of
from app.pages.text_format import spoken
from app.services import acts, entries
from app.services.acts import opened_concern
from app.services.cursors import decode_key, encode_key
from app.services.editions import EditionKey
from app.services.entries import SealedEntries, listed_addition, listed_note, opened_additions, opened_notes
from app.services.hand_overs import list_hand_overs
from app.services.inbox import entry_of, reference_of
from app.services.record import list_last_acts, list_meanwhile
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


class AddedPage(NamedTuple):
    """A page of additions or notes, the sealed texts of those without words, and the address of the next page.

    `seen` is the number of the act that records it.
    """

    entries: tuple[AdditionEntry, ...] | tuple[NoteEntry, ...]
    sealed: Mapping[int, SealedText]
    next_page: str | None
    seen: int


def read_added_page(
    visit: Visit,
    place: entries.PagePlace,
    *,
    opened: Callable[[SealedEntries], tuple[Any, ...]],
    listed: Callable[[Row[Any]], Any],
) -> AddedPage:
    """Return the page: `opened` gives entries with their words, `listed` one without.

    Where the texts were sealed to other identities, they are given sealed.
    """
    context, keys = visit.context, visit.context.unsealer.fingerprints
    page = entries.open_page(context.writer, place, actor=visit.actor, act=DeskAct.OPENED, fingerprints=keys)
    next_page = _address(place.reference, f"{place.kind}s", page.next_after)
    if page.opens:
        return AddedPage(opened(entries.read_page(context.engine, page)), {}, next_page, page.seen)
    return AddedPage(tuple(map(listed, page.rows)), sealed_texts_of(context, page), next_page, page.seen)


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


def read_desk_work(visit: Visit, shown: acts.Opening, *, seen_before: int | None) -> dict[str, Any]:
    """Return what the desk did about a concern whose view is on the record. No word of the concern is in it.

    `meanwhile` is what others did after the acts that the person had seen before their own.
    """
    concern, receipts = shown.concern, visit.context.submissions.receipts
    reference, client = concern.reference, visit.actor.client
    with Session(visit.context.engine) as session:
        later = [] if seen_before is None else list_meanwhile(session, reference, client=client, seen=seen_before)
        return {
            "questions": entries.list_messages(session, reference),
            "come_back_by": receipts.working_days.after(concern.received_at, days=receipts.come_back_days),
            "hand_overs": list_hand_overs(session, reference),
            "acts": act_lines(list_last_acts(session, reference, limit=ACTS_SHOWN)),
            "meanwhile": act_lines(act for act in later if act.client != client),
        }


@dataclass(frozen=True)
class Shown:
    """What is shown of a concern: with its words, with its words sealed, or without."""

    opening: acts.Opening
    entry: InboxEntry
    additions: tuple[AdditionEntry, ...]
    notes: tuple[NoteEntry, ...]
    sections: list[AnsweredSection] | None = None
    sealed: SealedText | None = None
    sealed_additions: Mapping[int, SealedText] = field(default_factory=dict)
    sealed_notes: Mapping[int, SealedText] = field(default_factory=dict)


def show_concern(visit: Visit, reference: str) -> Shown:
    """Return the concern as far as this service can show it, after that is on the record, once.

    Raises `NoSuchConcern`.
    """
    context, actor, now = visit.context, visit.actor, visit.now
    wanted = acts.Wanted("opened here", ADDED_ON_PAGE, NOTES_ON_PAGE, context.unsealer.fingerprints)
    try:
        recorded = acts.open_concern(context.writer, reference, wanted, actor=actor)
    except ConcernErased:
        viewed = acts.view_concern(
            context.writer, reference, actor=actor, limit=ADDED_ON_PAGE, last_notes=NOTES_ON_PAGE
        )
        return _without_words(viewed, now)
    sealed = acts.read_sealed_concern(context.engine, reference)
    if not recorded.opens:
        return replace(
            _without_words(recorded, now),
            sealed=SealedText(CONCERN, reference, 0, recorded.concern.received_at, sealed),
            sealed_additions=sealed_texts_of(context, recorded.page),
            sealed_notes=sealed_texts_of(context, recorded.notes),
        )
    additions = entries.read_page(context.engine, recorded.page)
    opened = opened_concern(recorded, sealed, additions, context.unsealer, now=now)
    notes = opened_notes(entries.read_page(context.engine, recorded.notes), context.unsealer)
    content = context.contents(EditionKey(opened.guide, opened.edition))
    sections = sections_of(opened.submission, content, context.reference_data)
    return Shown(recorded, opened, opened.additions, notes, sections)


def _without_words(recorded: acts.Opening, now: dt.datetime) -> Shown:
    additions = tuple(listed_addition(row, now=now) for row in recorded.page.rows)
    notes = tuple(map(listed_note, recorded.notes.rows))
    return Shown(recorded, entry_of(recorded.concern, now=now), additions, notes)


@router.get("/concerns/{reference}")
def read_concern_page(
    visit: ReaderVisitDep,
    reference: ConcernReferenceInPath,
    seen: Annotated[int | None, Query(ge=0, le=MOST_ACTS), IN_PLAIN_DIGITS] = None,
) -> Response:
    """Return the concern. Each view is one disclosure, with the person's name.

    `seen` is the last act that the person saw before their own: what others did since is at the top of the page.
    """
    parsed = reference_of(reference)
    shown = show_concern(visit, parsed)
    entry, recorded = shown.entry, shown.opening
    return visit.page(
        "desk_concern.html",
        concern=entry,
        shown=shown,
        work=read_desk_work(visit, recorded, seen_before=seen),
        forms=desk_forms(visit, parsed, recorded.seen),
        left=time_left_for(entry, visit.now),
        aloud=spoken(parsed),
        layout=layout_of(visit.context, entry.guide, entry.edition) if shown.sealed is not None else None,
        next_additions=_address(parsed, "additions", recorded.page.next_after),
        earlier_notes=_address(parsed, "notes", recorded.notes.next_after),
        printed_at=visit.now,
    )


@router.get("/concerns/{reference}/additions")
def read_additions_page(visit: ReaderVisitDep, reference: ConcernReferenceInPath, cursor: Cursor = None) -> Response:
    """Return a further page of what was added: with its words where they can be opened here, else sealed."""
    after = decode_key(cursor, otherwise=0)
    place = entries.PagePlace(EntryKind.ADDITION, reference_of(reference), after, ADDED_ON_PAGE)
    opened = partial(opened_additions, unsealer=visit.context.unsealer, now=visit.now)
    page = read_added_page(visit, place, opened=opened, listed=partial(listed_addition, now=visit.now))
    return visit.page(
        "desk_additions.html",
        reference=place.reference,
        additions=page.entries,
        forms=desk_forms(visit, place.reference, page.seen),
        sealed_additions=page.sealed,
        next_additions=page.next_page,
    )


@router.get("/concerns/{reference}/notes")
def read_notes_page(visit: ReaderVisitDep, reference: ConcernReferenceInPath, cursor: Cursor = None) -> Response:
    """Return a page of the desk's notes, the oldest first: with their words where they can be opened here."""
    after = decode_key(cursor, otherwise=0)
    place = entries.PagePlace(EntryKind.NOTE, reference_of(reference), after, ADDED_ON_PAGE)
    opened = partial(opened_notes, unsealer=visit.context.unsealer)
    page = read_added_page(visit, place, opened=opened, listed=listed_note)
    return visit.page(
        "desk_notes.html",
        reference=place.reference,
        notes=page.entries,
        sealed_notes=page.sealed,
        next_notes=page.next_page,
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
def save_sealed_concern(visit: ReaderVisitDep, reference: ConcernReferenceInPath) -> Response:
    """Return a concern with all its additions, sealed, and the layout of its words, as one file and one disclosure."""
    context, parsed, wanted = visit.context, reference_of(reference), acts.Wanted(SAVED, None)
    recorded = acts.open_concern(context.writer, parsed, wanted, actor=visit.actor)
    concern = recorded.concern
    sealed = acts.read_sealed_concern(context.engine, parsed)
    texts = [SealedText(CONCERN, parsed, 0, concern.received_at, sealed)]
    texts += sealed_texts_of(context, recorded.page).values()
    document = {
        "reference": parsed,
        "texts": [
            {"kind": each.kind, "number": each.number, "received_at": each.received, "sealed": each.armored}
            for each in texts
        ],
        "layout": layout_of(context, concern.guide, concern.edition),
    }
    headers = {"Content-Disposition": AS_FILE.format(f"{parsed}.json")}
    return Response(orjson.dumps(document), media_type=JSON, headers=headers)
