"""Entries of a concern at the desk: what its reporter added, the desk's own notes, and messages to the reporter."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import Body, Query, Request, Response

from app.errors import (
    ConcernErased,
    IdempotencyKeyReused,
    NoSuchConcern,
    NoSuchItem,
    NotAcknowledged,
    SealedTextMisplaced,
    SeveralIdempotencyKeys,
    TooManyMessages,
    TooManyNotes,
    UnsealingUnavailable,
)
from app.http.auth import ReaderDep, WorkerDep
from app.http.context import DeskDep, NowDep
from app.http.params import (
    AdditionNumber,
    ConcernReference,
    Cursor,
    GuidanceRouter,
    IdempotencyKey,
    JSONRoute,
    Limit,
    NoteNumber,
    created_response,
    expect_one_key_at_most,
    keys_from,
)
from app.http.problems import BODY_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.http.responses import SEALED, sealed_file
from app.models.entries import (
    WORDS_OF_A_NOTE,
    AdditionAcknowledgement,
    AdditionEntry,
    AdditionsResponse,
    EntryKind,
    EntryPlace,
    Message,
    MessageEntry,
    MessagesResponse,
    NewNote,
    NoteEntry,
    NotesResponse,
    RecipientsResponse,
)
from app.models.inbox import InboxEntry
from app.models.links import DESK_CONCERNS, DESK_RECIPIENTS, desk_messages_path, notes_path
from app.models.record import DeskAct
from app.services import entries
from app.services.cursors import decode_key, encode_key
from app.services.desk import Desk
from app.services.entries import listed_addition, listed_note, opened_additions, opened_notes
from app.services.inbox import entry_of, reference_of
from app.services.record import Actor

router = GuidanceRouter(tags=["Desk"], responses=RESPONSES_OF_CLIENT_ROUTES, route_class=JSONRoute)

ADDITIONS = DESK_CONCERNS + "/{reference}/additions"
NOTES = DESK_CONCERNS + "/{reference}/notes"
MESSAGES = DESK_CONCERNS + "/{reference}/messages"
PageCursor = Annotated[Cursor, Query(examples=[encode_key(1)])]
OF_ONE_FILE = problem_responses(NoSuchConcern, NoSuchItem, ConcernErased)


@router.get(
    ADDITIONS,
    summary="Read what was added",
    responses=problem_responses(NoSuchConcern, UnsealingUnavailable, ConcernErased),
)
def read_additions(
    *,
    desk: DeskDep,
    actor: ReaderDep,
    now: NowDep,
    reference: ConcernReference,
    limit: Limit = 50,
    cursor: PageCursor = None,
) -> AdditionsResponse:
    """What was added to the concern, a page at a time, in the order of arrival.

    With its words, where this service holds an identity; else without, and each has a sealed file of its own. A page
    ends earlier than `limit` where its sealed texts have 1,000,000 bytes.
    """
    place = entries.PagePlace(EntryKind.ADDITION, reference_of(reference), decode_key(cursor, otherwise=0), limit)
    page = _open_page(desk, place, actor, now)
    shown: Iterable[AdditionEntry] = (listed_addition(row, now=now) for row in page.rows)
    if desk.unsealer.can_unseal:
        shown = opened_additions(entries.read_page(desk.engine, page), desk.unsealer, now=now)
    return AdditionsResponse(additions=tuple(shown), next_cursor=_next_cursor(page))


@router.get(
    ADDITIONS + "/{number}",
    summary="Fetch what was added, sealed",
    response_class=Response,
    responses=SEALED | OF_ONE_FILE,
)
def fetch_addition(
    desk: DeskDep, actor: ReaderDep, now: NowDep, reference: ConcernReference, number: AdditionNumber
) -> Response:
    """The sealed file of one addition."""
    parsed, place = reference_of(reference), EntryPlace(EntryKind.ADDITION, number)
    count = entries.open_entry(desk.writer, parsed, place, actor=actor, at=now)
    sealed = entries.read_sealed_entry(desk.engine, parsed, place)
    return sealed_file(sealed, f"{parsed}-{number}", {"Additions": count})


@router.post(
    ADDITIONS + "/{number}/acknowledgement",
    summary="Acknowledge what was added",
    responses=problem_responses(NoSuchConcern, NoSuchItem, NotAcknowledged, *BODY_PROBLEMS),
)
def acknowledge_addition(
    *,
    desk: DeskDep,
    actor: WorkerDep,
    now: NowDep,
    reference: ConcernReference,
    number: AdditionNumber,
    _acknowledgement: AdditionAcknowledgement,
) -> InboxEntry:
    """A social worker has seen this addition alone. Others go on waiting. To do so again changes nothing."""
    concern = entries.acknowledge_addition(desk.writer, reference_of(reference), number, actor=actor, at=now)
    return entry_of(concern, now=now)


@router.post(
    NOTES,
    summary="Write a note",
    operation_id="write_note",
    status_code=201,
    response_model=NoteEntry,
    responses=problem_responses(
        NoSuchConcern,
        ConcernErased,
        TooManyNotes,
        SeveralIdempotencyKeys,
        IdempotencyKeyReused,
        *BODY_PROBLEMS,
    ),
)
def add_note(
    *,
    request: Request,
    desk: DeskDep,
    actor: WorkerDep,
    now: NowDep,
    reference: ConcernReference,
    note: Annotated[NewNote, Body(examples=[{"text": WORDS_OF_A_NOTE}])],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Write a note for the desk alone. It is sealed like the concern, and erased with it. 201: it is on the disk.

    Seal it where it is typed, to every key of `GET /v1/desk/recipients`, and this service never has the words.
    It never changes: what is wrong in one is put right in the next. The record has its digest and who wrote it.
    """
    expect_one_key_at_most(request)
    parsed = reference_of(reference)
    keys = keys_from(idempotency_key, client=f"{actor.client}, note about {parsed}")
    written = entries.write_note(desk, parsed, note, keys=keys, actor=actor, at=now)
    return created_response(written, notes_path(parsed))


@router.get(
    NOTES,
    summary="Read the notes",
    responses=problem_responses(
        NoSuchConcern,
        UnsealingUnavailable,
        ConcernErased,
        SealedTextMisplaced,
    ),
)
def read_notes(
    *,
    desk: DeskDep,
    actor: ReaderDep,
    now: NowDep,
    reference: ConcernReference,
    limit: Limit = 50,
    cursor: PageCursor = None,
) -> NotesResponse:
    """The desk's notes about the concern, a page at a time, the oldest first.

    With their words, where this service holds an identity; else without, and each has a sealed file of its own. A page
    ends earlier than `limit` where its sealed texts have 1,000,000 bytes.
    """
    place = entries.PagePlace(EntryKind.NOTE, reference_of(reference), decode_key(cursor, otherwise=0), limit)
    page = _open_page(desk, place, actor, now)
    shown: Iterable[NoteEntry] = map(listed_note, page.rows)
    if desk.unsealer.can_unseal:
        shown = opened_notes(entries.read_page(desk.engine, page), desk.unsealer)
    return NotesResponse(notes=tuple(shown), next_cursor=_next_cursor(page))


@router.get(
    NOTES + "/{number}", summary="Fetch a note, sealed", response_class=Response, responses=SEALED | OF_ONE_FILE
)
def fetch_note(
    desk: DeskDep, actor: ReaderDep, now: NowDep, reference: ConcernReference, number: NoteNumber
) -> Response:
    """The sealed file of one note. The header `Notes` is the number of notes."""
    parsed, place = reference_of(reference), EntryPlace(EntryKind.NOTE, number)
    count = entries.open_entry(desk.writer, parsed, place, actor=actor, at=now)
    return sealed_file(
        entries.read_sealed_entry(desk.engine, parsed, place), f"{parsed}-note-{number}", {"Notes": count}
    )


@router.get(MESSAGES, summary="List messages to the reporter", responses=problem_responses(NoSuchConcern))
def list_messages(desk: DeskDep, actor: ReaderDep, now: NowDep, reference: ConcernReference) -> MessagesResponse:
    """What was sent to the reporter: when, whether it was read, and which addition answers it. The words are sealed."""
    return entries.read_sent_messages(desk.writer, reference_of(reference), actor=actor, at=now)


@router.post(
    MESSAGES,
    summary="Send a message to the reporter",
    status_code=201,
    response_model=MessageEntry,
    responses=problem_responses(
        NoSuchConcern,
        ConcernErased,
        TooManyMessages,
        SeveralIdempotencyKeys,
        IdempotencyKeyReused,
        *BODY_PROBLEMS,
    ),
)
def send_message(
    *,
    request: Request,
    desk: DeskDep,
    actor: WorkerDep,
    now: NowDep,
    reference: ConcernReference,
    message: Annotated[Message, Body(examples=[{"text": "Which school does Alex Example go to?"}])],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """A question or a word to the reporter, which only the holder of the status token can read. 201: it is on the disk.

    The reporter sees that there is a message at the status of the concern, and answers by an addition.
    """
    expect_one_key_at_most(request)
    parsed = reference_of(reference)
    keys = keys_from(idempotency_key, client=f"{actor.client}, message to {parsed}")
    sent = entries.send_message(desk, parsed, message, keys=keys, actor=actor, at=now)
    return created_response(sent, desk_messages_path(parsed))


@router.get(DESK_RECIPIENTS, summary="List the keys that notes are sealed to")
def read_recipients(desk: DeskDep, _actor: ReaderDep) -> RecipientsResponse:
    """The age recipients of this service. Who knows them already finds here whether one was added or is gone."""
    recipients = tuple(map(str, desk.sealer.recipients))
    return RecipientsResponse(recipients=recipients, links={"self": DESK_RECIPIENTS})


def _open_page(desk: Desk, place: entries.PagePlace, actor: Actor, now: NowDep) -> entries.EntryPage:
    act = DeskAct.OPENED if desk.unsealer.can_unseal else DeskAct.LISTED
    return entries.open_page(desk.writer, place, actor=actor, at=now, act=act)


def _next_cursor(page: entries.EntryPage) -> str | None:
    return None if page.next_after is None else encode_key(page.next_after)
