"""The pages of one concern: its text as far as this service can decrypt it, its additions, and the desk's actions."""

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import Query, Request, Response
from sqlmodel import Session

from app.errors import NotFound
from app.http.auth import PUBLIC
from app.http.context import AppContext
from app.http.negotiation import JSON
from app.http.params import IN_PLAIN_DIGITS, Cursor
from app.http.responses import CACHE_CURRENT, conditional_response
from app.http.routes import GuidanceRouter
from app.models.audit.audit_log import DeskAct
from app.models.audit.entry_kinds import EntryKind
from app.models.base import format_utc
from app.models.concerns.entries import AdditionEntry, NoteEntry
from app.models.guides.edition_keys import EditionKey
from app.pages.audit.audit_log import act_lines
from app.pages.concerns.form_answers import AnsweredSection
from app.pages.desk.actions import desk_forms
from app.pages.desk.inbox import CONCERN_PAGES, ConcernReferenceInPath, lines_of
from app.pages.desk.referral import layout_of, sections_of
from app.pages.frame import AS_FILE, DeskRoute, ReaderVisitDep, Visit
from app.pages.page import HTML, UNSEAL_PAGE
from app.pages.text_format import spoken
from app.services.access.sign_in import PATH
from app.services.audit.audit_log import list_last_acts
from app.services.audit.meanwhile import list_meanwhile
from app.services.concerns import desk_entries, entries, opened_entries
from app.services.cursors import decode_key, encode_key
from app.services.desk import opened_concerns
from app.services.desk.hand_overs import list_hand_overs
from app.services.desk.presented_concerns import entry_of, reference_of

router = GuidanceRouter(prefix=PATH, include_in_schema=False, route_class=DeskRoute)
CONCERN = "concern"
"""The kind of a concern's own text. Additions, notes and messages have the kinds of `EntryKind`."""
LINE = 64
ADDED_ON_PAGE = 50
NOTES_ON_PAGE = 20
"""The most recent notes. All their sealed bytes are fewer than those of a page."""
ACTS_SHOWN = 50
MOST_ACTS = 10**9
SAVED = "sealed file saved"


@dataclass(frozen=True)
class SealedText:
    """One sealed text and its place. The concern itself has number 0, and a note has its author."""

    kind: str
    reference: str
    number: int
    received_at: dt.datetime
    sealed: bytes
    author: str = ""

    @property
    def received(self) -> str:
        """The time of receipt, in the format that the sealed text uses."""
        return format_utc(self.received_at)

    @property
    def armored(self) -> str:
        """The sealed text in age's armor, which the `age` program reads as well."""
        letters = base64.b64encode(self.sealed).decode()
        lines = [letters[start : start + LINE] for start in range(0, len(letters), LINE)]
        return "\n".join(("-----BEGIN AGE ENCRYPTED FILE-----", *lines, "-----END AGE ENCRYPTED FILE-----", ""))


@dataclass(frozen=True)
class ShownEntries:
    """A page of additions or notes, the sealed texts of those not decrypted, and the address of the next page."""

    entries: Sequence[AdditionEntry | NoteEntry]
    sealed: Mapping[int, SealedText]
    next_page: str | None


def show_page(
    visit: Visit, reference: str, page: opened_entries.EntryPage, *, has_words: bool, is_erased: bool = False
) -> ShownEntries:
    """Return the page with its text or, without `has_words`, with its sealed texts unless they are erased."""
    context, now, after = visit.context, visit.now, page.next_after
    shown = (
        opened_entries.open_entries(context.engine, page, context.unsealer, now=now)
        if has_words
        else opened_entries.present_page(page, now=now)
    )
    sealed = {} if has_words or is_erased else sealed_texts_of(context, page)
    address = f"{CONCERN_PAGES}/{reference}/{page.kind}s?cursor={encode_key(after)}" if after is not None else None
    return ShownEntries(shown, sealed, address)


def sealed_texts_of(context: AppContext, page: opened_entries.EntryPage) -> dict[int, SealedText]:
    """Return the sealed texts of a page of additions or notes, by number."""
    is_note = page.kind is EntryKind.NOTE
    return {
        row.number: SealedText(
            page.kind, row.reference, row.number, row.received_at, text, row.author if is_note else ""
        )
        for row, text in opened_entries.read_page(context.engine, page)
    }


def read_desk_work(visit: Visit, shown: opened_concerns.Opening, *, seen_before: int | None) -> dict[str, Any]:
    """Return the desk's actions on a concern whose view was recorded, without any text of the concern.

    `meanwhile` has what others did after the last action that the person had seen.
    """
    concern, receipts = shown.concern, visit.context.submissions.receipts
    reference, client = concern.reference, visit.actor.client
    with Session(visit.context.engine) as session:
        later = [] if seen_before is None else list_meanwhile(session, reference, client=client, seen=seen_before)
        return {
            "questions": desk_entries.list_messages(session, reference),
            "come_back_by": receipts.working_days.after(concern.received_at, days=receipts.come_back_days),
            "hand_overs": list_hand_overs(session, reference),
            "acts": act_lines(list_last_acts(session, reference, limit=ACTS_SHOWN)),
            "meanwhile": act_lines(act for act in later if act.client != client),
        }


@dataclass(frozen=True)
class Shown:
    """The displayed concern: with its text, with its sealed text, or without text."""

    opening: opened_concerns.Opening
    additions: ShownEntries
    notes: ShownEntries
    sections: list[AnsweredSection] | None = None
    sealed: SealedText | None = None


def show_concern(visit: Visit, reference: str) -> Shown:
    """Record the view once in the audit log, and return the concern as far as this service can show it.

    Raises `NoSuchConcern`.
    """
    context, keys = visit.context, visit.context.unsealer.fingerprints
    wanted = opened_concerns.OpeningRequest("opened here", ADDED_ON_PAGE, NOTES_ON_PAGE, keys, erased_too=True)
    opening = context.writer.run(opened_concerns.open_concern, reference, wanted, visit.actor)
    concern, is_erased = opening.concern, opening.concern.erased_at is not None
    text = _own_text(context, opening) if not is_erased else None
    sections = None
    if opening.opens and text is not None:
        submission = context.unsealer.open_member(
            "submission", text.sealed, reference=reference, received_at=text.received_at
        )
        content = context.contents(EditionKey(concern.guide, concern.edition))
        sections = sections_of(submission, content, context.reference_data)
    show = partial(show_page, visit, reference, has_words=opening.opens, is_erased=is_erased)
    return Shown(opening, show(opening.page), show(opening.notes), sections, None if opening.opens else text)


def _own_text(context: AppContext, opening: opened_concerns.Opening) -> SealedText:
    reference = opening.concern.reference
    sealed = entries.read_sealed(context.engine, reference)
    return SealedText(CONCERN, reference, 0, opening.concern.received_at, sealed)


@router.get("/concerns/{reference}")
def read_concern_page(
    visit: ReaderVisitDep,
    reference: ConcernReferenceInPath,
    seen: Annotated[int | None, Query(ge=0, le=MOST_ACTS), IN_PLAIN_DIGITS] = None,
    done: Annotated[int | None, Query(ge=0, le=MOST_ACTS), IN_PLAIN_DIGITS] = None,
) -> Response:
    """Return the concern. Each view is one audit log entry, with the person's name.

    `seen` is the last action that the person saw before their own: later actions of others are at the top of the page.
    `done` is the number of their own action, which comes first.
    """
    parsed = reference_of(reference)
    shown = show_concern(visit, parsed)
    entry, recorded = entry_of(shown.opening.concern, now=visit.now), shown.opening
    work = read_desk_work(visit, recorded, seen_before=seen)
    own = (line for line in work["acts"] if line.act.number == done and line.act.client == visit.actor.client)
    return visit.page(
        "desk_concern.html",
        concern=entry,
        shown=shown,
        work=work,
        done=next(own, None),
        forms=desk_forms(visit, parsed, recorded.seen),
        line=lines_of(visit, [entry])[0],
        aloud=spoken(parsed),
        layout=layout_of(visit.context, entry.guide, entry.edition) if shown.sealed is not None else None,
        printed_at=visit.now,
    )


@router.get("/concerns/{reference}/additions")
def read_additions_page(visit: ReaderVisitDep, reference: ConcernReferenceInPath, cursor: Cursor = None) -> Response:
    """Return a further page of additions."""
    return _entries_page(visit, EntryKind.ADDITION, reference, cursor)


@router.get("/concerns/{reference}/notes")
def read_notes_page(visit: ReaderVisitDep, reference: ConcernReferenceInPath, cursor: Cursor = None) -> Response:
    """Return a further page of notes."""
    return _entries_page(visit, EntryKind.NOTE, reference, cursor)


def _entries_page(visit: Visit, kind: EntryKind, typed: str, cursor: str | None) -> Response:
    """Return the page of entries, decrypted if this service can, and sealed otherwise."""
    context, reference = visit.context, reference_of(typed)
    place = opened_entries.PagePlace(kind, reference, decode_key(cursor, otherwise=0), ADDED_ON_PAGE)
    page = context.writer.run(
        opened_entries.open_page, place, visit.actor, DeskAct.OPENED, context.unsealer.fingerprints
    )
    return visit.page(
        "desk_entries.html",
        kind=kind,
        reference=reference,
        shown=show_page(visit, reference, page, has_words=page.opens),
        forms=desk_forms(visit, reference, page.seen),
    )


@router.get("/unseal.html", dependencies=[PUBLIC])
def read_unseal_page(request: Request) -> Response:
    """Return the page that decrypts a saved concern from disk, as a file. It has no text of any concern."""
    if not UNSEAL_PAGE.is_file():
        raise NotFound
    headers = {"Content-Disposition": AS_FILE.format(UNSEAL_PAGE.name)}
    page = UNSEAL_PAGE.read_bytes()
    return conditional_response(request, page, media_type=HTML, links={}, caching=CACHE_CURRENT, more_headers=headers)


@router.get("/concerns/{reference}/sealed")
def save_sealed_concern(visit: ReaderVisitDep, reference: ConcernReferenceInPath) -> Response:
    """Return a concern with its additions, sealed, and the layout of its text: one file and one audit log entry."""
    context, parsed, wanted = visit.context, reference_of(reference), opened_concerns.OpeningRequest(SAVED, None)
    opening = context.writer.run(opened_concerns.open_concern, parsed, wanted, visit.actor)
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
