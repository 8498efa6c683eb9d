"""The pages of one concern: the text, additions and notes, decrypted if possible, and the desk's forms."""

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import Query, Request, Response
from sqlmodel import Session

from app.errors import NotFound
from app.http.auth import PUBLIC
from app.http.context import AppContext
from app.http.negotiation import JSON
from app.http.params import IN_PLAIN_DIGITS, Cursor
from app.http.responses import CACHE_CURRENT, conditional_response, download
from app.models.audit.details import details_of
from app.models.audit.entry_kinds import EntryKind
from app.models.audit.rows import DeskAct
from app.models.base import format_utc
from app.models.concerns.entries import AdditionEntry, LabelEntry, NoteEntry
from app.models.concerns.receipts import ConcernState
from app.models.guides.edition_keys import EditionKey
from app.models.references import find_reference
from app.pages.audit.entry_words import ActLine, act_lines, fold_openings
from app.pages.concerns.form_answers import AnsweredSection
from app.pages.desk.actions import desk_forms
from app.pages.desk.after_acts import after_act
from app.pages.desk.inbox import CONCERN_PAGES, ConcernReferenceInPath
from app.pages.desk.inbox_rows import lines_of
from app.pages.desk.list_place import ListPlace, ListPlaceDep, read_beside
from app.pages.desk.referral import layout_of, numbers_of, sections_of
from app.pages.frame import DeskRouter, ReaderVisitDep, Visit, WorkerVisitDep
from app.pages.page import HTML, UNSEAL_PAGE
from app.pages.text_format import spoken
from app.services.audit.audit_log import list_last_entries
from app.services.audit.meanwhile import list_entries_since
from app.services.clock.working_days import LONDON
from app.services.concerns import desk_entries, entries, opened_entries
from app.services.concerns.card_making import card_of_concern
from app.services.concerns.rows import find_concern
from app.services.cursors import decode_key, encode_key
from app.services.desk import actions, opened_concerns
from app.services.desk.hand_overs import list_hand_overs
from app.services.desk.look_again import find_days
from app.services.desk.presented_concerns import entry_of, reference_of
from app.services.desk.retention import RetentionPeriods
from app.services.desk.retention_lists import erasure_day

router = DeskRouter()
CONCERN = "concern"
"""Kind of the concern's own text, in addition to those of `EntryKind`."""
LINE = 64
ADDED_ON_PAGE = 50
NOTES_ON_PAGE = 20
"""Together, so many notes are smaller than the limit of a page of entries."""
ACTS_SHOWN = 50
MOST_ACTS = 10**9
SAVED = "sealed file saved"
NO_CONTENT = 204


@dataclass(frozen=True)
class SealedText:
    """The concern's own text has the number 0. Only a note or label has an author."""

    kind: str
    reference: str
    number: int
    received_at: dt.datetime
    sealed: bytes
    author: str = ""

    @property
    def received(self) -> str:
        """Time that the encrypted document states."""
        return format_utc(self.received_at)

    @property
    def armored(self) -> str:
        """Text that the `age` program can decrypt."""
        letters = base64.b64encode(self.sealed).decode()
        lines = [letters[start : start + LINE] for start in range(0, len(letters), LINE)]
        return "\n".join(("-----BEGIN AGE ENCRYPTED FILE-----", *lines, "-----END AGE ENCRYPTED FILE-----", ""))


@dataclass(frozen=True)
class ShownEntries:
    """`sealed` has the texts that this service has not decrypted, by number."""

    entries: Sequence[AdditionEntry | NoteEntry | LabelEntry]
    sealed: Mapping[int, SealedText]
    next_page: str | None


def read_shown_entries(
    visit: Visit,
    reference: str,
    page: opened_entries.EntryPage,
    *,
    place: ListPlace,
    has_words: bool,
    is_erased: bool = False,
) -> ShownEntries:
    """Record the reading, then return the texts: decrypted if `has_words`, otherwise sealed or erased.

    The address of the next page carries `place`. Raise `SealedTextMisplaced` or `ConcernErased`.
    """
    context, now, after = visit.context, visit.now, page.next_after
    shown = (
        opened_entries.open_entries(context.engine, page, context.unsealer, now=now)
        if has_words
        else opened_entries.present_page(page, now=now)
    )
    sealed = {} if has_words or is_erased else sealed_texts_of(context, page)
    query = None if after is None else urlencode({"cursor": encode_key(after)} | place.fields)
    address = None if query is None else f"{CONCERN_PAGES}/{reference}/{page.kind}s?{query}"
    return ShownEntries(shown, sealed, address)


def sealed_texts_of(context: AppContext, page: opened_entries.EntryPage) -> dict[int, SealedText]:
    """Record the reading, then return the texts by number. Raise `ConcernErased`."""
    is_ours = page.kind is not EntryKind.ADDITION
    return {
        row.number: SealedText(
            page.kind, row.reference, row.number, row.received_at, text, row.author if is_ours else ""
        )
        for row, text in opened_entries.read_page(context.engine, page)
    }


def read_desk_work(visit: Visit, shown: opened_concerns.Opening, *, seen_before: int | None) -> dict[str, Any]:
    """`meanwhile` are the actions of others after `seen_before`."""
    concern, receipts = shown.concern, visit.context.submissions.receipts
    reference, client = concern.reference, visit.actor.client
    outcomes = visit.context.reference_data.get_code_list("outcome").labels
    content = visit.context.contents(EditionKey(concern.guide, concern.edition))
    signposts = visit.context.reference_data.who_to_call(content).signposts
    with Session(visit.context.engine) as session:
        later = [] if seen_before is None else list_entries_since(session, reference, client=client, seen=seen_before)
        return {
            "erasure_day": erasure_day(session, concern, RetentionPeriods.of(visit.context.settings)),
            "erasure_request": actions.find_erasure_request(session, reference),
            "officers": [f"{each.name}: {numbers_of(each)}" for each in signposts if each.allegations],
            "today": visit.now.astimezone(LONDON).date(),
            "look_again": find_days(session, reference, visit.visitor.name),
            "questions": desk_entries.list_messages(session, reference),
            "come_back_by": receipts.duty_hours.working_days.after(concern.received_at, days=receipts.come_back_days),
            "hand_overs": list_hand_overs(session, reference),
            "acts": act_lines(list_last_entries(session, reference, limit=ACTS_SHOWN), outcomes),
            "meanwhile": act_lines((act for act in later if act.client != client), outcomes),
        }


@dataclass(frozen=True)
class Shown:
    """A concern to show: `sections` or `sealed`, neither if erased; the first `additions` and the last `notes`."""

    opening: opened_concerns.Opening
    place: ListPlace
    additions: ShownEntries
    notes: ShownEntries
    labels: ShownEntries
    sections: list[AnsweredSection] | None = None
    sealed: SealedText | None = None
    children: Sequence[object] = ()


def show_concern(visit: Visit, reference: str, place: ListPlace, *, labels: int) -> Shown:
    """Record one view. Either all texts are decrypted, or all stay sealed.

    Raise `NoSuchConcern`, `ConcernErased` or `SealedTextMisplaced`.
    """
    context, keys = visit.context, visit.context.unsealer.fingerprints
    opening = context.writer.run(
        opened_concerns.open_concern,
        reference,
        visit.actor,
        how="opened here",
        limit=ADDED_ON_PAGE,
        last_notes=NOTES_ON_PAGE,
        last_labels=labels,
        fingerprints=keys,
        erased_too=True,
    )
    concern, is_erased = opening.concern, opening.concern.erased_at is not None
    text = _own_text(context, opening) if not is_erased else None
    sections, children = None, ()
    if opening.opens and text is not None:
        submission = context.unsealer.open_member(
            "submission", text.sealed, reference=reference, received_at=text.received_at
        )
        content = context.contents(EditionKey(concern.guide, concern.edition))
        sections = sections_of(submission, content, context.reference_data)
        children = card_of_concern(submission)["children"]
    place = place.seen_from(concern)
    show = partial(read_shown_entries, visit, reference, place=place, has_words=opening.opens, is_erased=is_erased)
    return Shown(
        opening,
        place,
        show(opening.page),
        show(opening.notes),
        replace(show(opening.label), next_page=None),
        sections,
        None if opening.opens else text,
        children,
    )


def _own_text(context: AppContext, opening: opened_concerns.Opening) -> SealedText:
    reference = opening.concern.reference
    sealed = entries.read_sealed(context.engine, reference)
    return SealedText(CONCERN, reference, 0, opening.concern.received_at, sealed)


@router.get("/concerns/{reference}")
def read_concern_page(
    visit: ReaderVisitDep,
    reference: ConcernReferenceInPath,
    place: ListPlaceDep,
    seen: Annotated[int | None, Query(ge=0, le=MOST_ACTS), IN_PLAIN_DIGITS] = None,
    done: Annotated[int | None, Query(ge=0, le=MOST_ACTS), IN_PLAIN_DIGITS] = None,
    acknowledged: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """Show the person's own recent action first, if given, and the actions of others after `seen`.

    It is `done` on this concern, or that another was `acknowledged`.
    """
    parsed = reference_of(reference)
    shown = show_concern(visit, parsed, place, labels=1 if done is None else 2)
    entry, recorded = entry_of(shown.opening.concern, now=visit.now), shown.opening
    work = read_desk_work(visit, recorded, seen_before=seen)
    own = [line for line in work["acts"] if line.act.number == done and line.act.client == visit.actor.client]
    former = find_acknowledged(visit, acknowledged)
    return visit.page(
        "desk_concern.html",
        concern=entry,
        shown=shown,
        work=work,
        history=fold_openings(work["acts"]),
        done=after_act(visit, entry, own[0]) if own else None,
        acknowledged=former,
        beside=read_beside(visit, shown.place) if own or former else [],
        former_label=former_label(shown.labels, own[0]) if own and visit.visitor.can_write else None,
        place=shown.place,
        forms=desk_forms(visit, parsed, recorded.seen, place=shown.place),
        line=lines_of(visit, [entry])[0],
        edition_title=visit.context.contents(EditionKey(entry.guide, entry.edition)).title,
        aloud=spoken(parsed),
        layout=layout_of(visit.context, entry.guide, entry.edition) if shown.sealed is not None else None,
        printed_at=visit.now,
    )


def find_acknowledged(visit: Visit, typed: str) -> str | None:
    """Return the reference of a concern that the person may open, if somebody acknowledged it."""
    reference = find_reference(typed)
    concern = visit.read(find_concern, reference) if reference and visit.may_open(reference) else None
    return reference if concern is not None and concern.state != ConcernState.RECEIVED else None


def former_label(labels: ShownEntries, line: ActLine) -> dict[str, Any] | None:
    """Return the label before `line` set the newest one, as `text` or `sealed`. None if `line` set another."""
    newest, before = labels.entries[-1:], labels.entries[:-1]
    if line.act.act != DeskAct.LABELLED or not newest or details_of(line.act).number != newest[0].number:
        return None
    former = next((each for each in before if isinstance(each, LabelEntry)), None)
    if former is None:
        return {"text": "", "sealed": None}
    return {"text": former.text or "", "sealed": labels.sealed.get(former.number)}


@router.get("/concerns/{reference}/additions")
def read_additions_page(
    visit: ReaderVisitDep, reference: ConcernReferenceInPath, place: ListPlaceDep, cursor: Cursor = None
) -> Response:
    return _entries_page(visit, EntryKind.ADDITION, reference, cursor, place)


@router.get("/concerns/{reference}/notes")
def read_notes_page(
    visit: ReaderVisitDep, reference: ConcernReferenceInPath, place: ListPlaceDep, cursor: Cursor = None
) -> Response:
    return _entries_page(visit, EntryKind.NOTE, reference, cursor, place)


def _entries_page(visit: Visit, kind: EntryKind, typed: str, cursor: str | None, place: ListPlace) -> Response:
    """Record the reading. Either all texts are decrypted, or all stay sealed."""
    context, reference = visit.context, reference_of(typed)
    page = context.writer.run(
        opened_entries.open_page,
        kind,
        reference,
        visit.actor,
        DeskAct.OPENED,
        after=decode_key(cursor, otherwise=0),
        limit=ADDED_ON_PAGE,
        fingerprints=context.unsealer.fingerprints,
    )
    return visit.page(
        "desk_entries.html",
        kind=kind,
        reference=reference,
        shown=read_shown_entries(visit, reference, page, place=place, has_words=page.opens),
        forms=desk_forms(visit, reference, page.seen, place=place),
    )


@router.get("/unseal.html", dependencies=[PUBLIC])
def read_unseal_page(request: Request) -> Response:
    """Return the page that decrypts a saved concern offline. The page itself has no text."""
    if not UNSEAL_PAGE.is_file():
        raise NotFound
    headers = {"Content-Disposition": f'attachment; filename="{UNSEAL_PAGE.name}"'}
    page = UNSEAL_PAGE.read_bytes()
    return conditional_response(request, page, media_type=HTML, links={}, caching=CACHE_CURRENT, more_headers=headers)


@router.post("/concerns/{reference}/copy-sheet")
def record_copy_sheet(visit: WorkerVisitDep, reference: ConcernReferenceInPath) -> Response:
    """Record that the browser makes the copy sheet, and return 204."""
    visit.context.writer.run(opened_concerns.record_copying, reference_of(reference), visit.actor)
    return Response(status_code=NO_CONTENT)


@router.get("/concerns/{reference}/sealed")
def save_sealed_concern(visit: ReaderVisitDep, reference: ConcernReferenceInPath) -> Response:
    """Return JSON with the sealed concern and additions, and the layout of the text."""
    context, parsed = visit.context, reference_of(reference)
    opening = context.writer.run(opened_concerns.open_concern, parsed, visit.actor, how=SAVED, limit=None)
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
    return download(orjson.dumps(document), f"{parsed}.json", JSON)
