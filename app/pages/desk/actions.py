"""The forms on the page of a concern, and the actions that the posted forms request.

Each action is recorded in the audit log. Most actions then redirect to the page of the concern. If an action is
refused, the response is a page with the form as it was filled in, and with the changes of others.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Path, Response
from pydantic import BaseModel
from sqlmodel import Session

from app import errors
from app.errors import FaultCode, FieldError
from app.http.context import AppContext
from app.http.params import IN_PLAIN_DIGITS
from app.http.routes import GuidanceRouter
from app.models.audit.audit_log import AuditEntryRow, DeskAct
from app.models.base import MAX_NUMBER, RequestModel
from app.models.concerns.entries import Message, NewLabel, NewNote
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import people_of_limit
from app.models.desk.actions import Acknowledgement, Hold, Outcome, Reopening
from app.models.desk.hand_overs import HandedOver, HandOver, HandOverReceipt
from app.pages.audit.audit_log import act_lines
from app.pages.desk.exports import export_response
from app.pages.desk.inbox import CONCERN_PAGES, ConcernReferenceInPath
from app.pages.desk.list_place import ListPlace
from app.pages.error_pages import problem_type_of
from app.pages.frame import SHOWN_AGAIN, DeskRoute, Visit, WorkerVisitDep, lead_to
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep, parse_fields
from app.services.access.people import list_workers
from app.services.audit.audit_log import Actor, list_last_entries
from app.services.audit.meanwhile import list_entries_since
from app.services.audit.restrictions import list_openers, list_readers
from app.services.concerns.desk_entries import recipient_for_messages, send_message, write_label, write_note
from app.services.concerns.rows import find_concern
from app.services.concerns.waiting_additions import first_in_danger
from app.services.desk import actions, hand_overs
from app.services.desk.presented_concerns import reference_of
from app.services.guides.pdf import find_font_file, pdf_available

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)
_Model = TypeVar("_Model", bound=BaseModel)
STILL_WAITS = (
    "There is an unread addition",
    "It has not been acknowledged, so the concern was not closed. Read it first, or close the concern anyway.",
)
IN_DANGER = "An addition says: immediate danger"
REPEATED = ("You have just done this", "It has not been done again. Repeat it only if you meant to.")
ONLY_SEALED = "this text must be encrypted before it is sent: turn on JavaScript, or use the command"
NO_SUCH_BODY = "choose an organisation"
ANOTHER_KEY = "the file was encrypted to a different key from the one set up for this organisation"
REFUSED = tuple(SHOWN_AGAIN)
DONE = "done"
"""The anchor of the completed action on a concern's page."""
ENTRIES_SEARCHED = 20
"""How many of the last audit log entries are searched for the person's own action.

The last entry alone would not be enough, because others may act at the same time.
"""
FORM_KEY_BYTES = 16
UNTYPED: Mapping[str, str] = MappingProxyType({})
DIRECT = ListPlace()
"""The place of a concern that was not opened from a list: the whole inbox, at an unknown position."""
VIEWS = frozenset({DeskAct.OPENED, DeskAct.LISTED})


@dataclass(frozen=True)
class Waiting:
    """The unacknowledged parts of a concern.

    `is_concern` is True if the concern's first report is not acknowledged, or if there is no such concern. `in_danger`
    is the number of the first unacknowledged addition that says immediate danger, or None if there is no such addition.
    """

    is_concern: bool
    in_danger: int | None


@dataclass(frozen=True)
class Attempt(Visit):
    """A form that a signed-in person posted about the concern `reference`."""

    reference: str
    posted: SubmittedForm

    @property
    def seen(self) -> int | None:
        """The number of the last audit log entry that the form's page showed, or None if the form lacks this number."""
        return self.posted.number("seen")

    @property
    def actor(self) -> Actor:
        """The person as the actor of audit log entries, with `seen`, so that actions notice the changes of others."""
        return replace(self.visitor.actor, seen=self.seen)

    @property
    def place(self) -> ListPlace:
        """The list from which the person opened the concern."""
        return ListPlace.of(self.posted.one("list"), self.posted.one("at") or None)

    @property
    def key(self) -> str | None:
        """The idempotency key of the form, or None if the form has no key."""
        return self.posted.one("key") or None

    def typed(self, model: type[BaseModel]) -> dict[str, object]:
        """Return the form's input for the fields of `model`. Leave out empty fields that `model` does not require."""
        fields = {name: self.posted.one(name).strip() for name in model.model_fields}
        return {name: typed for name, typed in fields.items() if typed or model.model_fields[name].is_required()}

    def parse(self, model: type[_Model], fields: Mapping[str, object] | None = None) -> _Model:
        """Return an instance of `model` from `fields`, or from the form's input if `fields` is None.

        Raise `ValidationFailed` if a value is not valid.
        """
        return parse_fields(model, self.typed(model) if fields is None else fields)

    def find_waiting(self) -> Waiting:
        """Return the unacknowledged parts of the concern. Only metadata is read, so the reading is not recorded."""
        with Session(self.context.engine) as session:
            concern = find_concern(session, self.reference)
            in_danger = first_in_danger(session, self.reference)
        return Waiting(concern is None or concern.state == ConcernState.RECEIVED, in_danger)

    def own_entry_number(self) -> int:
        """Return the number of this person's last action in the audit log of the concern. Views do not count.

        Right after an action, the result is the number of that action. After a retry that recorded nothing, the result
        is the number of the first attempt. Return 0 if the last `ENTRIES_SEARCHED` entries have no action of this
        person.
        """
        with Session(self.context.engine) as session:
            last = list_last_entries(session, self.reference, limit=ENTRIES_SEARCHED)
        own = (each.number for each in last if each.client == self.visitor.actor.client and each.act not in VIEWS)
        return next(own, 0)

    def list_entries_since(self) -> list[AuditEntryRow]:
        """Return up to 50 audit log entries after `seen` that the person must know before acting again, earliest first.

        These are changes, messages and hand-overs by others, but not changes of the label. Notes, messages and
        hand-overs of this person count too, because the form may have been sent twice. Return an empty list if `seen`
        is None.
        """
        if self.seen is None:
            return []
        with Session(self.context.engine) as session:
            return list_entries_since(session, self.reference, client=self.visitor.actor.client, seen=self.seen)


async def read_attempt(visit: WorkerVisitDep, posted: SubmittedFormDep, reference: ConcernReferenceInPath) -> Attempt:
    """Return the posted form, as a FastAPI dependency. Only people who may change concerns can post the form.

    Raise `NoSuchConcern` if `reference` is not a reference.
    """
    return Attempt(**vars(visit), reference=reference_of(reference), posted=posted)


AttemptDep = Annotated[Attempt, Depends(read_attempt)]


class ExportForm(RequestModel):
    """The form that exports a concern. If `notes` is True, the export includes the desk's notes."""

    notes: bool = False


class ClosingForm(Outcome):
    """The form that closes a concern. If `anyway` is True, an unacknowledged addition does not prevent the closing."""

    anyway: bool = False


def read_text(attempt: Attempt) -> dict[str, object]:
    """Return the text of the form as the fields of a note, label or message.

    The text is either encrypted by the browser, or unencrypted. Raise `ValidationFailed` if the text is unencrypted and
    this service cannot decrypt concerns.
    """
    sealed, recipients = attempt.posted.one("sealed"), attempt.posted.one("recipients").split()
    if sealed:
        return {"sealed": sealed} | ({"recipients": recipients} if recipients else {})
    if not accepts_unencrypted_text(attempt.context):
        raise errors.ValidationFailed([FieldError(("text",), ONLY_SEALED)])
    return {"text": attempt.posted.one("text").strip()}


def read_closing(attempt: Attempt) -> dict[str, object]:
    """Return the fields of `ClosingForm`: the outcome and, if the form has a message to the reporter, the message.

    Raise `ValidationFailed` if the message is unencrypted and this service cannot decrypt concerns.
    """
    typed = attempt.typed(ClosingForm)
    has_words = attempt.posted.one("sealed") or attempt.posted.one("text").strip()
    return typed | ({"message": read_text(attempt)} if has_words else {})


def read_hand_over(attempt: Attempt) -> dict[str, object]:
    """Return the fields of `HandOver` for the chosen organisation, with the organisation's key as `recipient`.

    If the browser made the encrypted file, the form has three more fields: the file's digest, the number of additions
    in the file, and the key to which the file is encrypted. Raise `ValidationFailed` if the organisation is not set up,
    or if that key is not the organisation's key.
    """
    typed = attempt.typed(HandOver)
    recipient = (attempt.context.settings.hand_over_bodies or {}).get(str(typed["body"]))
    if recipient is None:
        raise errors.ValidationFailed([FieldError(("body",), NO_SUCH_BODY, FaultCode.NOT_LISTED)])
    if typed["recipient"] not in ("", recipient):
        raise errors.ValidationFailed([FieldError(("body",), ANOTHER_KEY)])
    return typed | {"recipient": recipient}


def lead_back(attempt: Attempt) -> Response:
    """Return a redirect to the page of the concern, which shows the completed action.

    The page also links to the list from which the concern was opened. If others changed the concern since the form's
    page was shown, the page shows the changes of others too. Because of the redirect, a reload does not repeat the
    action.
    """
    own = attempt.visitor.actor.client
    is_changed = any(each.client != own for each in attempt.list_entries_since())
    fields = {"seen": attempt.seen} if is_changed else {}
    query = urlencode(fields | {"done": attempt.own_entry_number()} | attempt.place.fields)
    return lead_to(f"{CONCERN_PAGES}/{attempt.reference}?{query}#{DONE}")


@router.post("/{reference}/acknowledgement")
def acknowledge_on_page(attempt: AttemptDep) -> Response:
    """Acknowledge the concern, and the additions up to the last addition that the form's page showed.

    Record this in the audit log, and redirect to the concern. If the action is refused, show the form again.
    """
    try:
        wanted = attempt.parse(Acknowledgement)
        attempt.context.writer.run(actions.acknowledge, attempt.reference, wanted, attempt.actor)
    except REFUSED as refusal:
        return show_again(attempt, "acknowledgement", refusal)
    return lead_back(attempt)


@router.post("/{reference}/outcome")
def close_on_page(attempt: AttemptDep) -> Response:
    """Close the concern with the posted outcome, and send the reporter the posted message, if there is one.

    Record this in the audit log, and redirect to the concern. If the action is refused, show the form again. If an
    addition is unacknowledged, the action is refused until the person chooses to close the concern anyway.
    """
    try:
        wanted, desk = attempt.parse(ClosingForm, read_closing(attempt)), attempt.context.desk
        actions.close(desk, attempt.reference, wanted, attempt.actor, attempt.key, unless_waiting=not wanted.anyway)
    except REFUSED as refusal:
        return show_again(attempt, "outcome", refusal)
    return lead_back(attempt)


@router.post("/{reference}/hold")
def hold_on_page(attempt: AttemptDep) -> Response:
    """Put the concern on hold, which prevents erasure, or end the hold. The form says which.

    Record this in the audit log, and redirect to the concern. If the action is refused, show the form again.
    """
    try:
        wanted = attempt.parse(Hold)
        attempt.context.writer.run(actions.hold, attempt.reference, wanted, attempt.actor)
    except REFUSED as refusal:
        return show_again(attempt, "hold", refusal)
    return lead_back(attempt)


@router.post("/{reference}/reopening")
def reopen_on_page(attempt: AttemptDep) -> Response:
    """Reopen a closed concern, and remove the outcome of the concern.

    Record this in the audit log, and redirect to the concern. If the action is refused, show the form again.
    """
    try:
        wanted = attempt.parse(Reopening)
        attempt.context.writer.run(actions.reopen, attempt.reference, wanted, attempt.actor)
    except REFUSED as refusal:
        return show_again(attempt, "reopening", refusal)
    return lead_back(attempt)


@router.post("/{reference}/export")
def export_on_page(attempt: AttemptDep) -> Response:
    """Record the export in the audit log, and return the concern as a signed PDF.

    If the export is refused, show the form again. Raise `PdfUnavailable` if this service cannot make PDFs. Raise
    `SealedTextMisplaced` if a text belongs to another concern, or if a note names another time or author than the audit
    log.
    """
    try:
        return export_response(attempt, attempt.reference, notes=attempt.parse(ExportForm).notes)
    except REFUSED as refusal:
        return show_again(attempt, "export", refusal)


@router.post("/{reference}/notes")
def write_note_on_page(attempt: AttemptDep) -> Response:
    """Add a note that only the desk can read.

    Record this in the audit log, and redirect to the concern. If the action is refused, show the form again.
    """
    try:
        note = attempt.parse(NewNote, read_text(attempt))
        write_note(attempt.context.desk, attempt.reference, note, attempt.actor, attempt.key)
    except REFUSED as refusal:
        return show_again(attempt, "note", refusal)
    return lead_back(attempt)


@router.post("/{reference}/label")
def set_label_on_page(attempt: AttemptDep) -> Response:
    """Set the label of the concern, or remove the label if the text is empty.

    Record this in the audit log, and redirect to the concern. If the action is refused, show the form again.
    """
    try:
        label = attempt.parse(NewLabel, read_text(attempt))
        write_label(attempt.context.desk, attempt.reference, label, attempt.actor, attempt.key)
    except REFUSED as refusal:
        return show_again(attempt, "label", refusal)
    return lead_back(attempt)


@router.post("/{reference}/messages")
def send_message_on_page(attempt: AttemptDep) -> Response:
    """Send the reporter a message.

    Record this in the audit log, and redirect to the concern. If the action is refused, show the form again.
    """
    try:
        message = attempt.parse(Message, read_text(attempt))
        send_message(attempt.context.desk, attempt.reference, message, attempt.actor, attempt.key)
    except REFUSED as refusal:
        return show_again(attempt, "question", refusal)
    return lead_back(attempt)


@router.post("/{reference}/hand-over")
def hand_over_on_page(attempt: AttemptDep) -> Response:
    """Record the hand-over to another organisation in the audit log.

    Return a page with this service's receipt, and with the encrypted file if this service made the file. If the
    hand-over is refused, show the form again. If this service makes the file, raise `SealedTextMisplaced` if a text
    belongs to another concern, or if the file made for a retry has another digest.
    """
    try:
        wanted = attempt.parse(HandOver, read_hand_over(attempt))
        done = hand_overs.hand_over(attempt.context.desk, attempt.reference, wanted, attempt.actor, attempt.key)
        handed = HandedOver.model_validate_json(done.receipt)
        return attempt.page("desk_handed_over.html", reference=attempt.reference, handed=handed, place=attempt.place)
    except REFUSED as refusal:
        return show_again(attempt, "hand_over", refusal)


@router.post("/{reference}/hand-over/{number}/receipt")
def confirm_on_page(
    attempt: AttemptDep, number: Annotated[int, Path(ge=1, le=MAX_NUMBER), IN_PLAIN_DIGITS]
) -> Response:
    """Store the receipt that the other organisation returned for the hand-over `number`.

    Record this in the audit log, and redirect to the concern. A repeat with the same receipt changes nothing. If the
    receipt is refused, show the form again. Raise `NoSuchItem` if there is no such hand-over.
    """
    try:
        wanted, writer = attempt.parse(HandOverReceipt), attempt.context.writer
        writer.run(hand_overs.confirm_hand_over, attempt.reference, number, wanted, attempt.actor)
    except REFUSED as refusal:
        return show_again(attempt, "receipt", refusal)
    return lead_back(attempt)


def show_again(attempt: Attempt, form: str, refusal: errors.GuidanceError) -> Response:
    """Return a page with a form as it was filled in, the reason of `refusal`, and the changes of others.

    `form` is the name of the form, such as `outcome`. If the concern changed since the form's page was shown, first
    record in the audit log that the action was not carried out. After `StoreBusy`, record nothing, because no write was
    possible.

    If an unacknowledged addition says immediate danger, the heading says so in two cases: an addition prevents the
    closing, or an addition came after the form's page was shown.
    """
    waiting = attempt.find_waiting()
    visitor, meanwhile, seen = attempt.visitor, attempt.list_entries_since(), attempt.seen or 0
    if meanwhile and not isinstance(refusal, errors.StoreBusy):
        wanted = form.replace("_", " ")
        seen = attempt.context.writer.run(actions.record_withheld, attempt.reference, wanted, visitor.actor)
        meanwhile = [each for each in attempt.list_entries_since() if each.number < seen]
    heading, message = SHOWN_AGAIN[type(refusal)]
    is_own = {each.client for each in meanwhile} == {visitor.actor.client}
    if isinstance(refusal, errors.ChangedMeanwhile) and is_own:
        heading, message = REPEATED
    is_closing = form == "outcome" and isinstance(refusal, errors.NotAcknowledged) and not waiting.is_concern
    if is_closing:
        heading, message = STILL_WAITS
    if waiting.in_danger is not None and (is_closing or DeskAct.ADDED in {each.act for each in meanwhile}):
        heading = IN_DANGER
    typed = {name: attempt.posted.one(name) for name in attempt.posted.fields}
    typed |= {"people": "\n".join(attempt.posted.many("people"))} if form == "restriction" else {}
    if isinstance(refusal, errors.IdempotencyKeyReused):
        del typed["key"]
    if is_closing:
        typed["anyway"] = "yes"
    found = refusal.faults if isinstance(refusal, errors.ValidationFailed) else ()
    faults = {str(fault.at[fault.at[0] == "message"]): fault.detail for fault in found if fault.at}
    return attempt.page(
        "desk_again.html",
        status=problem_type_of(refusal).status,
        heading=heading,
        message=message,
        in_danger=waiting.in_danger,
        meanwhile=act_lines(meanwhile, attempt.context.reference_data.get_code_list("outcome").labels),
        form=form,
        forms=desk_forms(attempt, attempt.reference, seen, typed=typed, faults=faults, place=attempt.place),
    )


def desk_forms(
    visit: Visit,
    reference: str,
    seen: int,
    *,
    typed: Mapping[str, str] = UNTYPED,
    faults: Mapping[str, str] = UNTYPED,
    place: ListPlace = DIRECT,
) -> dict[str, Any]:
    """Return the template variables of the forms about a concern.

    `seen` is the number of the last audit log entry that the page shows. If a form is shown again, `typed` has the
    input by field, and `faults` the errors by field. `place` is the list from which the concern was opened.
    """
    context = visit.context
    with Session(context.engine) as session:
        people, concern = list_workers(session), find_concern(session, reference)
        readers = list_readers(session) if visit.actor.is_lead else []
        if concern is not None and concern.limited_to:
            people = list_openers(session, reference, people)
    limited_to = "" if concern is None else concern.limited_to
    can_unseal = context.unsealer.can_unseal
    return {
        "path": f"{CONCERN_PAGES}/{reference}",  # each form is posted to a path below this one
        "reference": reference,
        "place": place,
        "seen": seen,
        "me": visit.visitor.name,
        "people": people,
        "is_lead": visit.actor.is_lead,
        "is_restricted": limited_to != "",
        "limited_to": people_of_limit(limited_to),
        "readers": readers,
        "bodies": dict(sorted((context.settings.hand_over_bodies or {}).items())),
        "outcomes": context.reference_data.get_code_list("outcome").codes,
        "can_unseal": can_unseal,
        "can_export": can_unseal and pdf_available(),
        "can_export_in_browser": not can_unseal and find_font_file() is not None,
        "takes_clear": accepts_unencrypted_text(context),  # if False, the browser encrypts notes and messages
        "recipients": " ".join(map(str, context.submissions.sealer.recipients)),  # the recipients of notes
        "recipient": recipient_for_messages(concern) if concern is not None else "",  # the recipient of messages
        "key": typed.get("key") or secrets.token_urlsafe(FORM_KEY_BYTES),  # a form that is sent twice acts once
        "typed": typed,
        "faults": faults,
    }


def accepts_unencrypted_text(context: AppContext) -> bool:
    """Return True if this service can decrypt text that is encrypted to the team's keys.

    Forms may then send text unencrypted, because this service could decrypt the text anyway.
    """
    return context.unsealer.has_one_of(context.submissions.sealer.fingerprints)
