"""The forms on the page of a concern, and the actions that the posted forms request.

If an action is refused, the form is shown again as it was filled in, with the changes of others.
"""

import secrets
from collections.abc import Callable, Mapping
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
from app.models.audit.rows import AuditEntryRow, DeskAct
from app.models.base import MAX_NUMBER, RequestModel
from app.models.concerns.entries import Message, NewLabel, NewNote
from app.models.concerns.fields import YesNo
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import people_of_limit
from app.models.desk.actions import Acknowledgement, Hold, Outcome, Reopening
from app.models.desk.hand_overs import HandedOver, HandOver, HandOverReceipt
from app.models.desk.look_again import LookAgain
from app.models.desk.restriction import Restriction
from app.pages.audit.entry_words import act_lines
from app.pages.desk.exports import export_response
from app.pages.desk.inbox import CONCERN_PAGES, ConcernReferenceInPath
from app.pages.desk.list_place import ListPlace, find_next
from app.pages.error_pages import problem_type_of
from app.pages.frame import SHOWN_AGAIN, DeskRouter, Visit, WorkerVisitDep, lead_to
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep, parse_fields
from app.services.access.people import list_workers
from app.services.access.restrictions import list_openers, list_readers
from app.services.audit.audit_log import Actor, list_last_entries
from app.services.audit.meanwhile import list_entries_since
from app.services.concerns.desk_entries import recipient_for_messages, send_message, write_entry
from app.services.concerns.rows import find_concern
from app.services.concerns.waiting_additions import first_in_danger
from app.services.desk import actions, hand_overs, look_again
from app.services.desk.presented_concerns import reference_of
from app.services.desk.restriction import set_restriction
from app.services.guides.pdf import find_font_file, pdf_available

router = DeskRouter(CONCERN_PAGES)
_Model = TypeVar("_Model", bound=BaseModel)
STILL_WAITS = (
    "There is an unread addition",
    "It has not been acknowledged, so the concern was not closed. Read it first, or close the concern anyway.",
)
NOT_FOR_YOU = ("The concern is restricted", "You cannot open it any more. The people who may are not told by email.")
IN_DANGER = "An addition says: immediate danger"
REPEATED = ("You have just done this", "It has not been done again. Repeat it only if you meant to.")
ONLY_SEALED = "this text must be encrypted before it is sent: turn on JavaScript, or use the command"
NO_SUCH_BODY = "choose an organisation"
ANOTHER_KEY = "the file was encrypted to a different key from the one set up for this organisation"
DONE = "done"
ENTRIES_SEARCHED = 20
"""How many entries are searched for the person's own action: others may act at the same time."""
FORM_KEY_BYTES = 16
UNTYPED: Mapping[str, str] = MappingProxyType({})
DIRECT = ListPlace()
VIEWS = frozenset({DeskAct.OPENED, DeskAct.LISTED})


@dataclass(frozen=True)
class Attempt(Visit):
    reference: str
    posted: SubmittedForm

    @property
    def seen(self) -> int | None:
        """Number of the last audit entry that the form's page showed."""
        return self.posted.number("seen")

    @property
    def actor(self) -> Actor:
        """Has `seen`, so that actions notice the changes of others."""
        return replace(self.visitor.actor, seen=self.seen)

    @property
    def place(self) -> ListPlace:
        return ListPlace.of(self.posted.one("list"), self.posted.one("at") or None)

    @property
    def key(self) -> str | None:
        return self.posted.one("key") or None

    def typed(self, model: type[BaseModel]) -> dict[str, object]:
        """Return the fields without empty ones that `model` does not require."""
        fields = {name: self.posted.one(name).strip() for name in model.model_fields}
        return {name: typed for name, typed in fields.items() if typed or model.model_fields[name].is_required()}

    def parse(self, model: type[_Model], fields: Mapping[str, object] | None = None) -> _Model:
        return parse_fields(model, self.typed(model) if fields is None else fields)

    def own_entry_number(self) -> int:
        """Return the number of the last action that is not a view (0 if none is recent); after a retry the first."""
        last = self.read(list_last_entries, self.reference, limit=ENTRIES_SEARCHED)
        own = (each.number for each in last if each.client == self.visitor.actor.client and each.act not in VIEWS)
        return next(own, 0)

    def list_entries_since(self) -> list[AuditEntryRow]:
        if self.seen is None:
            return []
        return self.read(list_entries_since, self.reference, client=self.visitor.actor.client, seen=self.seen)


async def read_attempt(visit: WorkerVisitDep, posted: SubmittedFormDep, reference: ConcernReferenceInPath) -> Attempt:
    """Raise `NoSuchConcern` if `reference` is not a reference."""
    return Attempt(**vars(visit), reference=reference_of(reference), posted=posted)


AttemptDep = Annotated[Attempt, Depends(read_attempt)]


class ExportForm(RequestModel):
    notes: bool = False


class ClosingForm(Outcome):
    """`anyway`: an unacknowledged addition does not prevent the closing."""

    anyway: bool = False


def read_text(attempt: Attempt) -> dict[str, object]:
    """Raise `ValidationFailed` for unencrypted text that this service could not decrypt."""
    sealed, recipients = attempt.posted.one("sealed"), attempt.posted.one("recipients").split()
    if sealed:
        return {"sealed": sealed} | ({"recipients": recipients} if recipients else {})
    if not accepts_unencrypted_text(attempt.context):
        raise errors.ValidationFailed([FieldError(("text",), ONLY_SEALED)])
    return {"text": attempt.posted.one("text").strip()}


def read_closing(attempt: Attempt) -> dict[str, object]:
    typed = attempt.typed(ClosingForm)
    has_words = attempt.posted.one("sealed") or attempt.posted.one("text").strip()
    return typed | ({"message": read_text(attempt)} if has_words else {})


def read_hand_over(attempt: Attempt) -> dict[str, object]:
    """Return the fields with the organisation's key as `recipient`.

    For a file made in the browser, they include its digest and the number of its additions.
    """
    typed = attempt.typed(HandOver)
    recipient = (attempt.context.settings.hand_over_bodies or {}).get(str(typed["body"]))
    if recipient is None:
        raise errors.ValidationFailed([FieldError(("body",), NO_SUCH_BODY, FaultCode.NOT_LISTED)])
    if typed["recipient"] not in ("", recipient):
        raise errors.ValidationFailed([FieldError(("body",), ANOTHER_KEY)])
    return typed | {"recipient": recipient}


def concern_form(
    router: DeskRouter, path: str, name: str
) -> Callable[[Callable[..., Response | None]], Callable[..., Response]]:
    """Decorate the operation of a desk form. `name` is the form shown again after an error."""
    return router.form(
        f"/{{reference}}/{path}",
        lead_back,
        lambda attempt, refusal: show_again(attempt, name, refusal),
        tuple(SHOWN_AGAIN),
    )


def lead_back(attempt: Attempt) -> Response:
    """Redirect to the concern, which shows the action and others' changes since. Reloading repeats nothing."""
    own = attempt.visitor.actor.client
    is_changed = any(each.client != own for each in attempt.list_entries_since())
    fields = {"seen": attempt.seen} if is_changed else {}
    query = urlencode(fields | {"done": attempt.own_entry_number()} | attempt.place.fields)
    return lead_to(f"{CONCERN_PAGES}/{attempt.reference}?{query}#{DONE}")


@concern_form(router, "acknowledgement", "acknowledgement")
def acknowledge_on_page(attempt: AttemptDep) -> Response | None:
    """Acknowledge the concern, and the additions up to the last that the page showed. Lead on if the person asks."""
    attempt.context.writer.run(actions.acknowledge, attempt.reference, attempt.parse(Acknowledgement), attempt.actor)
    if attempt.posted.one("then") == "next":
        following = find_next(attempt, attempt.place, acknowledged=attempt.reference)
        return lead_to(following) if following else None
    return None


@concern_form(router, "outcome", "outcome")
def close_on_page(attempt: AttemptDep) -> None:
    """Refuse while an addition is unacknowledged, unless the person confirms."""
    closing, desk = attempt.parse(ClosingForm, read_closing(attempt)), attempt.context.desk
    actions.close(desk, attempt.reference, closing, attempt.actor, attempt.key, unless_waiting=not closing.anyway)


@concern_form(router, "hold", "hold")
def hold_on_page(attempt: AttemptDep) -> None:
    attempt.context.writer.run(actions.hold, attempt.reference, attempt.parse(Hold), attempt.actor)


@concern_form(router, "reopening", "reopening")
def reopen_on_page(attempt: AttemptDep) -> None:
    attempt.context.writer.run(actions.reopen, attempt.reference, attempt.parse(Reopening), attempt.actor)


@concern_form(router, "export", "export")
def export_on_page(attempt: AttemptDep) -> Response:
    """Return a signed PDF."""
    return export_response(attempt, attempt.reference, notes=attempt.parse(ExportForm).notes)


@concern_form(router, "notes", "note")
def write_note_on_page(attempt: AttemptDep) -> None:
    note = attempt.parse(NewNote, read_text(attempt))
    write_entry(attempt.context.desk, attempt.reference, note, attempt.actor, attempt.key)


@concern_form(router, "label", "label")
def set_label_on_page(attempt: AttemptDep) -> None:
    """An empty text removes the label."""
    label = attempt.parse(NewLabel, read_text(attempt))
    write_entry(attempt.context.desk, attempt.reference, label, attempt.actor, attempt.key)


@concern_form(router, "messages", "question")
def send_message_on_page(attempt: AttemptDep) -> None:
    message = attempt.parse(Message, read_text(attempt))
    send_message(attempt.context.desk, attempt.reference, message, attempt.actor, attempt.key)


@concern_form(router, "hand-over", "hand_over")
def hand_over_on_page(attempt: AttemptDep) -> Response:
    """Show the receipt, and the file if this service made it."""
    hand_over = attempt.parse(HandOver, read_hand_over(attempt))
    done = hand_overs.hand_over(attempt.context.desk, attempt.reference, hand_over, attempt.actor, attempt.key)
    handed = HandedOver.model_validate_json(done.receipt)
    return attempt.page("desk_handed_over.html", reference=attempt.reference, handed=handed, place=attempt.place)


@concern_form(router, "hand-over/{number}/receipt", "receipt")
def confirm_on_page(attempt: AttemptDep, number: Annotated[int, Path(ge=1, le=MAX_NUMBER), IN_PLAIN_DIGITS]) -> None:
    """Confirming the same receipt again changes nothing."""
    receipt, writer = attempt.parse(HandOverReceipt), attempt.context.writer
    writer.run(hand_overs.confirm_hand_over, attempt.reference, number, receipt, attempt.actor)


@concern_form(router, "look-again", "look_again")
def set_day_on_page(attempt: AttemptDep) -> None:
    """Set or remove the day of the team, the person or the officer, chosen by `whose`. An empty day is removed."""
    posted, actor, writer = attempt.posted, attempt.actor, attempt.context.writer
    is_allegation, receipts = posted.one("allegation") == YesNo.YES, attempt.context.submissions.receipts
    if officer_by := receipts.officer_by(is_allegation=is_allegation, at=actor.at):
        writer.run(look_again.mark_allegation, attempt.reference, officer_by, actor)
    else:
        fields = {"day": posted.one("day").strip() or None, "whose": posted.one("whose")}
        writer.run(look_again.set_day, attempt.reference, attempt.parse(LookAgain, fields), actor)


@concern_form(router, "restriction", "restriction")
def set_restriction_on_page(attempt: AttemptDep) -> Response | None:
    """Tell a person who has just lost access to the concern."""
    fields = attempt.typed(Restriction) | {"people": attempt.posted.many("people")}
    restriction, context = attempt.parse(Restriction, fields), attempt.context
    context.writer.run(set_restriction, attempt.reference, restriction, attempt.actor, context.submissions.receipts)
    if attempt.may_open(attempt.reference):
        return None
    heading, message = NOT_FOR_YOU
    return attempt.page("desk_message.html", heading=heading, message=message, reference=None, sign_in="")


def show_again(attempt: Attempt, form: str, refusal: errors.GuidanceError) -> Response:
    """Show the form as it was filled in, the reason for the refusal, and what others changed.

    If the concern has changed since, first record that nothing was done (not after `StoreBusy`).
    """
    with Session(attempt.context.engine) as session:  # only metadata, so the reading is not recorded
        concern, in_danger = find_concern(session, attempt.reference), first_in_danger(session, attempt.reference)
    visitor, meanwhile, seen = attempt.visitor, attempt.list_entries_since(), attempt.seen or 0
    if meanwhile and not isinstance(refusal, errors.StoreBusy):
        action = form.replace("_", " ")
        seen = attempt.context.writer.run(actions.record_withheld, attempt.reference, action, visitor.actor)
        meanwhile = [each for each in attempt.list_entries_since() if each.number < seen]
    heading, message = SHOWN_AGAIN[type(refusal)]
    is_own = {each.client for each in meanwhile} == {visitor.actor.client}
    if isinstance(refusal, errors.ChangedMeanwhile) and is_own:
        heading, message = REPEATED
    is_read = concern is not None and concern.state != ConcernState.RECEIVED
    is_closing = is_read and form == "outcome" and isinstance(refusal, errors.NotAcknowledged)
    if is_closing:
        heading, message = STILL_WAITS
    if in_danger is not None and (is_closing or DeskAct.ADDED in {each.act for each in meanwhile}):
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
        in_danger=in_danger,
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
    """`typed` and `faults` are by field, for a form shown again."""
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
        "outcomes": context.reference_data.get_code_list("outcome").labels,
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
    """True if this service could decrypt the text anyway."""
    return context.unsealer.has_one_of(context.submissions.sealer.fingerprints)
