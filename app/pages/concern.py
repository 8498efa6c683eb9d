"""The pages of one concern: its words as far as this service opens them, what was added, and what was done."""

import base64
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, NamedTuple

import orjson
from fastapi import Query, Request, Response
from sqlmodel import Session

from app.errors import NotFound
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
from app.services.cursors import decode_key, encode_key
from app.services.editions import EditionKey
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


def read_added_page(visit: Visit, kind: EntryKind, reference: str, cursor: str | None) -> AddedPage:
    """Return the page: entries with their words or, where the texts were sealed to other identities, sealed."""
    context = visit.context
    place = entries.PagePlace(kind, reference, decode_key(cursor, otherwise=0), ADDED_ON_PAGE)
    page = entries.open_page(context.writer, place, visit.actor, DeskAct.OPENED, context.unsealer.fingerprints)
    next_page = _address(reference, f"{kind}s", page.next_after)
    if page.opens:
        opened = entries.open_entries(context.engine, page, context.unsealer, now=visit.now)
        return AddedPage(opened, {}, next_page, page.seen)
    listed = entries.present_page(page, now=visit.now)
    return AddedPage(listed, sealed_texts_of(context, page), next_page, page.seen)


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
    context, now, keys = visit.context, visit.now, visit.context.unsealer.fingerprints
    wanted = acts.Wanted("opened here", ADDED_ON_PAGE, NOTES_ON_PAGE, keys, erased_too=True)
    opening = acts.open_concern(context.writer, reference, wanted, visit.actor)
    if opening.opens:
        opened = acts.opened_concern(context.desk, opening, now=now)
        notes = entries.open_entries(context.engine, opening.notes, context.unsealer, now=now)
        content = context.contents(EditionKey(opened.guide, opened.edition))
        sections = sections_of(opened.submission, content, context.reference_data)
        return Shown(opening, opened, opened.additions, notes, sections)
    shown = Shown(
        opening,
        entry_of(opening.concern, now=now),
        entries.present_page(opening.page, now=now),
        entries.present_page(opening.notes, now=now),
    )
    if opening.concern.erased_at is not None:
        return shown
    return replace(
        shown,
        sealed=_own_text(context, opening),
        sealed_additions=sealed_texts_of(context, opening.page),
        sealed_notes=sealed_texts_of(context, opening.notes),
    )


def _own_text(context: AppContext, opening: acts.Opening) -> SealedText:
    reference = opening.concern.reference
    sealed = entries.read_sealed(context.engine, reference)
    return SealedText(CONCERN, reference, 0, opening.concern.received_at, sealed)


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
    parsed = reference_of(reference)
    page = read_added_page(visit, EntryKind.ADDITION, parsed, cursor)
    return visit.page(
        "desk_additions.html",
        reference=parsed,
        additions=page.entries,
        forms=desk_forms(visit, parsed, page.seen),
        sealed_additions=page.sealed,
        next_additions=page.next_page,
    )


@router.get("/concerns/{reference}/notes")
def read_notes_page(visit: ReaderVisitDep, reference: ConcernReferenceInPath, cursor: Cursor = None) -> Response:
    """Return a page of the desk's notes, the oldest first: with their words where they can be opened here."""
    parsed = reference_of(reference)
    page = read_added_page(visit, EntryKind.NOTE, parsed, cursor)
    return visit.page(
        "desk_notes.html",
        reference=parsed,
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
    opening = acts.open_concern(context.writer, parsed, wanted, visit.actor)
    concern = opening.concern
    texts = [_own_text(context, opening), *sealed_texts_of(context, opening.page).values()]
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
