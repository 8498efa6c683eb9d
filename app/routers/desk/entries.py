"""Routes of a concern's entries at the desk: additions of the reporter, notes and labels of the desk, and messages."""

from typing import Annotated, Any

from fastapi import Body, Request, Response
from sqlmodel import Session

from app.errors import (
    ConcernErased,
    IdempotencyKeyReused,
    NoSuchConcern,
    NoSuchItem,
    NotAcknowledged,
    SealedTextMisplaced,
    SeveralIdempotencyKeys,
    TooManyLabels,
    TooManyMessages,
    TooManyNotes,
    UnsealingUnavailable,
)
from app.http.auth import ReaderDep
from app.http.context import DeskDep
from app.http.params import (
    AdditionNumber,
    Cursor,
    IdempotencyKey,
    Limit,
    NoteNumber,
    created_response,
    expect_one_key_at_most,
    stored_response,
)
from app.http.problems import BODY_PROBLEMS, problem_responses
from app.http.responses import SEALED, page_links, sealed_file
from app.models.audit.entry_kinds import EntryKind, EntryPlace
from app.models.audit.rows import DeskAct
from app.models.concerns.entries import (
    WORDS_OF_A_LABEL,
    WORDS_OF_A_NOTE,
    AdditionAcknowledgement,
    AdditionsResponse,
    LabelEntry,
    Message,
    MessageEntry,
    MessagesResponse,
    NewLabel,
    NewNote,
    NoteEntry,
    NotesResponse,
    RecipientsResponse,
)
from app.models.desk.inbox import InboxEntry
from app.models.links import DESK_RECIPIENTS, desk_concern_path
from app.routers.desk.actions import ONE_CONCERN, DeskRequest, ReadingDep, WorkingDep, desk_router
from app.services.concerns import desk_entries, entries, opened_entries, waiting_additions
from app.services.concerns.rows import get_unerased
from app.services.cursors import decode_key, encode_key
from app.services.desk.presented_concerns import entry_of

router = desk_router()
ADDITIONS = f"{ONE_CONCERN}/additions"
NOTES = f"{ONE_CONCERN}/notes"
LABEL = f"{ONE_CONCERN}/label"
NO_LABEL = "The concern has no label."
MESSAGES = f"{ONE_CONCERN}/messages"
OF_ONE_FILE = SEALED | problem_responses(NoSuchConcern, NoSuchItem, ConcernErased)


@router.get(
    ADDITIONS,
    summary="List additions",
    responses=problem_responses(NoSuchConcern, UnsealingUnavailable, ConcernErased, SealedTextMisplaced),
)
def read_additions(
    http_request: Request, request: ReadingDep, limit: Limit = 50, cursor: Cursor = None
) -> AdditionsResponse:
    """The additions to the concern, in order of arrival, in pages.

    Includes the text if this service holds an identity. Otherwise each addition has its own sealed file. A page can be
    shorter than `limit`: it ends once its sealed texts reach 1,000,000 bytes.
    """
    additions, next_cursor = _read_page(request, EntryKind.ADDITION, cursor, limit)
    return AdditionsResponse(additions=additions, next_cursor=next_cursor, links=page_links(http_request, next_cursor))


@router.get(
    ADDITIONS + "/{number}",
    summary="Download a sealed addition",
    response_class=Response,
    responses=OF_ONE_FILE,
)
def fetch_addition(request: ReadingDep, number: AdditionNumber) -> Response:
    """The sealed file of one addition."""
    return _sealed_file(request, EntryPlace(EntryKind.ADDITION, number), f"-{number}", counted_as="Additions")


@router.post(
    ADDITIONS + "/{number}/acknowledgement",
    summary="Acknowledge an addition",
    responses=problem_responses(NoSuchConcern, NoSuchItem, NotAcknowledged, *BODY_PROBLEMS),
)
def acknowledge_addition(
    request: WorkingDep, number: AdditionNumber, _acknowledgement: AdditionAcknowledgement
) -> InboxEntry:
    """Record that a social worker has read this addition. Others stay unacknowledged. Idempotent."""
    concern = request.desk.writer.run(waiting_additions.acknowledge_addition, request.reference, number, request.actor)
    return entry_of(concern, now=request.actor.at)


@router.post(
    NOTES,
    summary="Add a note",
    operation_id="write_note",
    status_code=201,
    response_model=NoteEntry,
    responses=problem_responses(
        NoSuchConcern, ConcernErased, TooManyNotes, SeveralIdempotencyKeys, IdempotencyKeyReused, *BODY_PROBLEMS
    ),
)
def add_note(
    http_request: Request,
    request: WorkingDep,
    note: Annotated[NewNote, Body(examples=[{"text": WORDS_OF_A_NOTE}])],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Add a note that only the desk can read. It is encrypted like the concern and erased with it.

    If this service must not have the text, encrypt the note on the client to every key of `GET /v1/desk/recipients`.
    Notes cannot be edited: correct a note with a new note. The audit log has each note's digest and author. Status 201
    means that the note has been flushed to disk.
    """
    expect_one_key_at_most(http_request)
    reference = request.reference
    written = desk_entries.write_entry(request.desk, reference, note, request.actor, idempotency_key)
    return created_response(written, desk_concern_path(reference, "notes"))


@router.get(
    NOTES,
    summary="List notes",
    responses=problem_responses(NoSuchConcern, UnsealingUnavailable, ConcernErased, SealedTextMisplaced),
)
def read_notes(http_request: Request, request: ReadingDep, limit: Limit = 50, cursor: Cursor = None) -> NotesResponse:
    """The desk's notes about the concern, oldest first, in pages.

    Includes the text if this service holds an identity. Otherwise each note has its own sealed file. A page can be
    shorter than `limit`: it ends once its sealed texts reach 1,000,000 bytes.
    """
    notes, next_cursor = _read_page(request, EntryKind.NOTE, cursor, limit)
    return NotesResponse(notes=notes, next_cursor=next_cursor, links=page_links(http_request, next_cursor))


@router.get(NOTES + "/{number}", summary="Download a sealed note", response_class=Response, responses=OF_ONE_FILE)
def fetch_note(request: ReadingDep, number: NoteNumber) -> Response:
    """The sealed file of one note. The header `Notes` is the number of notes."""
    return _sealed_file(request, EntryPlace(EntryKind.NOTE, number), f"-note-{number}", counted_as="Notes")


@router.put(
    LABEL,
    summary="Set the label",
    operation_id="set_label",
    response_model=LabelEntry,
    responses=problem_responses(
        NoSuchConcern, ConcernErased, TooManyLabels, SeveralIdempotencyKeys, IdempotencyKeyReused, *BODY_PROBLEMS
    ),
)
def set_label(
    http_request: Request,
    request: WorkingDep,
    label: Annotated[NewLabel, Body(examples=[{"text": WORDS_OF_A_LABEL}])],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Set the label of the concern: a few words for the desk only, encrypted like a note and erased with the concern.

    The newest label counts, and an empty text removes it. If this service must not have the text, encrypt the label on
    the client to every key of `GET /v1/desk/recipients`. `GET /v1/desk/cards` returns labels with the cards.
    """
    expect_one_key_at_most(http_request)
    written = desk_entries.write_entry(request.desk, request.reference, label, request.actor, idempotency_key)
    return stored_response(written)


@router.get(LABEL, summary="Download the sealed label", response_class=Response, responses=OF_ONE_FILE)
def fetch_label(request: ReadingDep) -> Response:
    """The sealed file of the newest label. The header `Labels` is the number of labels that the concern has had."""
    with Session(request.desk.engine) as session:
        get_unerased(session, request.reference)
        number, _ = entries.measure_entries(session, EntryKind.LABEL, request.reference)
    if not number:
        raise NoSuchItem(NO_LABEL)
    return _sealed_file(request, EntryPlace(EntryKind.LABEL, number), "-label", counted_as="Labels")


@router.get(MESSAGES, summary="List messages to the reporter", responses=problem_responses(NoSuchConcern))
def list_messages(request: ReadingDep) -> MessagesResponse:
    """Messages to the reporter: when sent, whether read, and the addition that answers each. Their text is sealed."""
    return request.desk.writer.run(desk_entries.read_sent_messages, request.reference, request.actor)


@router.post(
    MESSAGES,
    summary="Send a message to the reporter",
    status_code=201,
    response_model=MessageEntry,
    responses=problem_responses(
        NoSuchConcern, ConcernErased, TooManyMessages, SeveralIdempotencyKeys, IdempotencyKeyReused, *BODY_PROBLEMS
    ),
)
def send_message(
    http_request: Request,
    request: WorkingDep,
    message: Annotated[Message, Body(examples=[{"text": "Which school does Alex Example go to?"}])],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Send a message that only the holder of the status token can read. 201 means that it has been flushed to disk.

    The status of the concern shows that there is a message. The reporter replies with an addition.
    """
    expect_one_key_at_most(http_request)
    reference = request.reference
    sent = desk_entries.send_message(request.desk, reference, message, request.actor, idempotency_key)
    return created_response(sent, desk_concern_path(reference, "messages"))


@router.get(DESK_RECIPIENTS, summary="List the keys that notes are encrypted to")
def read_recipients(desk: DeskDep, _actor: ReaderDep) -> RecipientsResponse:
    """The age recipients of this service. Compare them with those you know, to see whether one was added or removed."""
    recipients = tuple(map(str, desk.sealer.recipients))
    return RecipientsResponse(recipients=recipients, links={"self": DESK_RECIPIENTS})


def _read_page(
    request: DeskRequest, kind: EntryKind, cursor: str | None, limit: int
) -> tuple[tuple[Any, ...], str | None]:
    """Record the reading. Entries are decrypted if this service can decrypt concerns."""
    desk, after = request.desk, decode_key(cursor, otherwise=0)
    act = DeskAct.OPENED if desk.unsealer.can_unseal else DeskAct.LISTED
    page = desk.writer.run(
        opened_entries.open_page, kind, request.reference, request.actor, act, after=after, limit=limit
    )
    shown = opened_entries.present_page(page, now=request.actor.at)
    if desk.unsealer.can_unseal:
        shown = opened_entries.open_entries(desk.engine, page, desk.unsealer, now=request.actor.at)
    return shown, None if page.next_after is None else encode_key(page.next_after)


def _sealed_file(request: DeskRequest, place: EntryPlace, suffix: str, *, counted_as: str) -> Response:
    """Record the reading. The header field `counted_as` has the number of the concern's entries of this kind."""
    desk, reference = request.desk, request.reference
    count = desk.writer.run(opened_entries.open_entry, reference, place, request.actor)
    sealed = entries.read_sealed(desk.engine, reference, place)
    return sealed_file(sealed, f"{reference}{suffix}", {counted_as: count})
