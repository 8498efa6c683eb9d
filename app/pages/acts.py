"""What people do about a concern on its page: the forms of the acts, and their posts.

What is refused is a page with the form as it was filled in, and with what happened meanwhile.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Path, Response
from pydantic import BaseModel, ValidationError
from sqlmodel import Session

from app import errors
from app.age.keys import recipient_of
from app.errors import FaultCode, FieldError
from app.http.context import AppContext
from app.http.params import IN_PLAIN_DIGITS, GuidanceRouter
from app.models.acts import Outcome
from app.models.base import MAX_NUMBER, RequestModel
from app.models.hand_overs import HandedOver, HandOver, HandOverReceipt
from app.models.receipts import ConcernState
from app.models.record import DeskAct, DisclosureRow
from app.pages.desk import SHOWN_AGAIN, DeskRoute, Visit, WorkerVisitDep, lead_to
from app.pages.error_pages import problem_type_of
from app.pages.exports import export_response
from app.pages.form_answers import SubmittedForm, SubmittedFormDep, faults_of
from app.pages.inbox import CONCERN_PAGES, ConcernReferenceInPath
from app.pages.record import act_lines
from app.services import acts, hand_overs
from app.services.acts import Act, record_withheld
from app.services.concerns import find_concern
from app.services.entries import Desk
from app.services.inbox import reference_of
from app.services.pdf import pdf_available
from app.services.people import list_workers
from app.services.receipts import IdempotencyKeys
from app.services.record import Actor, list_last_acts, list_meanwhile

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)

_T = TypeVar("_T")

STILL_WAITS = (
    "There is an unread addition",
    "It has not been acknowledged, so the concern was not closed. Read it first, or close the concern anyway.",
)
REPEATED = ("You have just done this", "It has not been done again. Repeat it only if you meant to.")
NO_SUCH_WORKER = "choose someone who can work on concerns, or nobody"
ONLY_SEALED = "this text must be encrypted before it is sent: turn on JavaScript, or use the command"
NO_SUCH_BODY = "choose an organisation"
ANOTHER_KEY = "the file was encrypted to a different key from the one set up for this organisation"
DIGITS_OF_SEEN = 9
DONE = "done"
"""Where a concern's page says what was just done."""
MOST_AT_ONCE = 20
"""So many others may act at the same moment, and what a person just did is still found."""
FORM_KEY_BYTES = 16
UNTYPED: Mapping[str, str] = MappingProxyType({})
LOOKING = frozenset({DeskAct.OPENED, DeskAct.LISTED})


@dataclass(frozen=True)
class Attempt(Visit):
    """A form that a person sent about a concern."""

    reference: str
    posted: SubmittedForm

    @property
    def seen(self) -> int | None:
        """The number of the last act that the page of the form showed."""
        typed = self.posted.one("seen")
        return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= DIGITS_OF_SEEN else None

    @property
    def actor(self) -> Actor:
        """The person, with what they had seen."""
        return replace(self.visitor.actor, seen=self.seen)

    def do(self, act: Act[_T], wanted: BaseModel) -> _T:
        """Do it as the API does, and return what the act returns. A form has an idempotency key of its own."""
        return act.perform(self.context.desk, self.reference, wanted, self.actor, self.posted.one("key") or None)

    def typed(self, model: type[BaseModel]) -> dict[str, object]:
        """Return what was typed for the fields of the model. What is empty, and not required, is absent."""
        fields = {name: self.posted.one(name).strip() for name in model.model_fields}
        return {name: typed for name, typed in fields.items() if typed or model.model_fields[name].is_required()}

    def something_added_waits(self, form: "ActForm") -> bool:
        """Return whether the form closes a concern that is acknowledged itself: only what was added then waits."""
        with Session(self.context.engine) as session:
            concern = find_concern(session, self.reference)
        return form.act.body is ClosingForm and concern is not None and concern.state != ConcernState.RECEIVED

    def number_of_own_act(self) -> int:
        """Return the number of the last act of this person in the chain of the concern, but for what they looked at.

        It is the one that was just done, or, for a form that was sent twice, the one that it did.
        """
        with Session(self.context.engine) as session:
            last = list_last_acts(session, self.reference, limit=MOST_AT_ONCE)
        own = (each.number for each in last if each.client == self.visitor.actor.client and each.act not in LOOKING)
        return next(own, 0)

    def list_meanwhile(self) -> list[DisclosureRow]:
        """Return what happened since the page of the form."""
        if self.seen is None:
            return []
        with Session(self.context.engine) as session:
            return list_meanwhile(session, self.reference, client=self.visitor.actor.client, seen=self.seen)


async def read_attempt(visit: WorkerVisitDep, posted: SubmittedFormDep, reference: ConcernReferenceInPath) -> Attempt:
    """Return the form that was sent. Only people who may act get through this."""
    return Attempt(**vars(visit), reference=reference_of(reference), posted=posted)


AttemptDep = Annotated[Attempt, Depends(read_attempt)]


class AssignmentForm(RequestModel):
    """The person of the register that is to work on a concern; empty for nobody."""

    person: str = ""


class ExportForm(RequestModel):
    """Whether an export has the notes of the desk too."""

    notes: bool = False


class ClosingForm(Outcome):
    """The outcome of a concern, and whether to close it although something that was added waits."""

    anyway: bool = False


def _close(desk: Desk, reference: str, wanted: ClosingForm, actor: Actor, keys: IdempotencyKeys | None) -> None:
    acts.close(desk, reference, wanted, actor, keys, unless_waiting=not wanted.anyway)


def _assign(desk: Desk, reference: str, wanted: AssignmentForm, actor: Actor) -> None:
    """Assign the concern to a person of the register, or to nobody. What the person has seen decides."""
    with Session(desk.engine) as session:
        if wanted.person and wanted.person not in list_workers(session):
            raise errors.ValidationFailed([FieldError(("person",), NO_SUCH_WORKER, FaultCode.NOT_LISTED)])
    acts.assign(desk.writer, reference, wanted.person or None, actor)


def _show_hand_over(attempt: Attempt, wanted: HandOver) -> Response:
    """Record the hand-over, and return a page with our receipt, and with the file where this service made it."""
    handed = HandedOver.model_validate_json(attempt.do(acts.HAND_OVER, wanted).receipt)
    return attempt.page("desk_handed_over.html", reference=attempt.reference, handed=handed)


def _export(attempt: Attempt, wanted: ExportForm) -> Response:
    return export_response(attempt, attempt.reference, notes=wanted.notes)


def read_words(attempt: Attempt) -> dict[str, object]:
    """Return what a person wrote: sealed, or the words themselves, where this service could read them anyway.

    Raises `ValidationFailed` for words in clear at a service that cannot read.
    """
    sealed, recipients = attempt.posted.one("sealed"), attempt.posted.one("recipients").split()
    if sealed:
        return {"sealed": sealed} | ({"recipients": recipients} if recipients else {})
    if not takes_clear_words(attempt.context):
        raise errors.ValidationFailed([FieldError(("text",), ONLY_SEALED)])
    return {"text": attempt.posted.one("text").strip()}


def read_closing(attempt: Attempt) -> dict[str, object]:
    """Return the outcome and, if somebody wrote one, the message to the reporter. Raises as `read_words` does."""
    typed = attempt.typed(ClosingForm)
    has_words = attempt.posted.one("sealed") or attempt.posted.one("text").strip()
    return typed | ({"message": read_words(attempt)} if has_words else {})


def read_body(attempt: Attempt) -> dict[str, object]:
    """Return the body that was chosen with its key, and what else is recorded of a hand-over.

    Where the browser made the file, the form has its digest, its additions and the key that it is sealed to. Raises
    `ValidationFailed` for a body that is not set up, or has another key.
    """
    typed = attempt.typed(HandOver)
    recipient = (attempt.context.settings.hand_over_bodies or {}).get(str(typed["body"]))
    if recipient is None:
        raise errors.ValidationFailed([FieldError(("body",), NO_SUCH_BODY, FaultCode.NOT_LISTED)])
    if typed["recipient"] not in ("", recipient):
        raise errors.ValidationFailed([FieldError(("body",), ANOTHER_KEY)])
    return typed | {"recipient": recipient}


@dataclass(frozen=True)
class ActForm:
    """The form of an act, and the macro that draws it. The person is led back to the concern, which says what was done.

    `read` reads the fields of the body, where they are not just what was typed. `show` does the act where it has a page
    of its own, which it returns.
    """

    act: Act[Any]
    form: str
    read: Callable[[Attempt], dict[str, object]] | None = None
    show: Callable[[Attempt, Any], Response] | None = None


FORMS = (
    ActForm(acts.ACKNOWLEDGE, "acknowledgement"),
    ActForm(Act(acts.CLOSE.step, ClosingForm, _close, acts.CLOSE.once), "outcome", read_closing),
    ActForm(acts.HOLD, "hold"),
    ActForm(acts.ERASE, "erasure"),
    ActForm(Act("assignment", AssignmentForm, _assign), "assignment"),
    ActForm(Act("export", ExportForm, _export), "export", show=_export),
    ActForm(acts.WRITE_NOTE, "note", read_words),
    ActForm(acts.ASK, "question", read_words),
    ActForm(acts.HAND_OVER, "hand_over", read_body, _show_hand_over),
)


def _route_of(form: ActForm) -> Callable[..., Response]:
    def act_on_page(attempt: AttemptDep) -> Response:
        return carry_out(attempt, form)

    return act_on_page


for each in FORMS:
    router.add_api_route(
        f"/{{reference}}/{each.act.step}", _route_of(each), methods=["POST"], name=f"{each.form}_on_page"
    )


@router.post("/{reference}/hand-over/{number}/receipt")
def confirm_on_page(
    attempt: AttemptDep, number: Annotated[int, Path(ge=1, le=MAX_NUMBER), IN_PLAIN_DIGITS]
) -> Response:
    """Store the receipt that the other body sent back, once."""

    def confirm(desk: Desk, reference: str, wanted: HandOverReceipt, actor: Actor) -> None:
        desk.writer.run(hand_overs.confirm_hand_over, reference, number, wanted, actor)

    return carry_out(attempt, ActForm(Act("receipt", HandOverReceipt, confirm), "receipt"))


def carry_out(attempt: Attempt, form: ActForm) -> Response:
    """Do it, and return the page that the act itself gives, or lead back to the concern, which says what was done.

    A reload does not do the act again. What is refused is a page with the form as it was filled in.
    """
    try:
        wanted = parse(form.act.body, attempt.typed(form.act.body) if form.read is None else form.read(attempt))
        if form.show is not None:
            return form.show(attempt, wanted)
        attempt.do(form.act, wanted)
    except tuple(SHOWN_AGAIN) as refusal:
        return _show_again(attempt, form, refusal)
    own = attempt.visitor.actor.client
    query = f"seen={attempt.seen}&" if any(each.client != own for each in attempt.list_meanwhile()) else ""
    return lead_to(f"{CONCERN_PAGES}/{attempt.reference}?{query}done={attempt.number_of_own_act()}#{DONE}")


def parse(model: type[BaseModel], fields: dict[str, object]) -> BaseModel:
    """Return the model of the API. Raises `ValidationFailed`."""
    try:
        return model.model_validate(fields, strict=False)
    except ValidationError as error:
        raise errors.ValidationFailed(faults_of(error)) from None


def _show_again(attempt: Attempt, form: ActForm, refusal: errors.GuidanceError) -> Response:
    visitor, meanwhile, seen = attempt.visitor, attempt.list_meanwhile(), attempt.seen or 0
    if meanwhile and not isinstance(refusal, errors.StoreBusy):
        wanted = form.form.replace("_", " ")
        writer, actor = attempt.context.writer, visitor.actor
        seen = writer.run(record_withheld, attempt.reference, wanted, actor)
        meanwhile = [each for each in attempt.list_meanwhile() if each.number < seen]
    heading, message = SHOWN_AGAIN[type(refusal)]
    is_own = {each.client for each in meanwhile} == {visitor.actor.client}
    if isinstance(refusal, errors.ChangedMeanwhile) and is_own:
        heading, message = REPEATED
    is_closing = isinstance(refusal, errors.NotAcknowledged) and attempt.something_added_waits(form)
    if is_closing:
        heading, message = STILL_WAITS
    typed = {name: attempt.posted.one(name) for name in attempt.posted.fields}
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
        meanwhile=act_lines(meanwhile),
        form=form.form,
        forms=desk_forms(attempt, attempt.reference, seen, typed=typed, faults=faults),
    )


def desk_forms(
    visit: Visit,
    reference: str,
    seen: int,
    *,
    typed: Mapping[str, str] = UNTYPED,
    faults: Mapping[str, str] = UNTYPED,
) -> dict[str, Any]:
    """Return what the forms about a concern show, with what was typed where one is shown again.

    `seen` is the number of the last act that the page shows.
    """
    context = visit.context
    with Session(context.engine) as session:
        people, concern = list_workers(session), find_concern(session, reference)
    can_unseal = context.unsealer.can_unseal
    return {
        "path": f"{CONCERN_PAGES}/{reference}",  # below which each form is sent
        "reference": reference,
        "seen": seen,
        "me": visit.visitor.name,
        "people": people,
        "bodies": dict(sorted((context.settings.hand_over_bodies or {}).items())),
        "outcomes": context.reference_data.get_code_list("outcome").codes,
        "can_unseal": can_unseal,
        "can_export": can_unseal and pdf_available(),
        "takes_clear": takes_clear_words(context),  # else whatever shows the page seals notes and questions
        "recipients": " ".join(map(str, context.submissions.sealer.recipients)),  # notes are sealed to these
        "recipient": recipient_of(concern.message_key) if concern is not None else "",  # and questions to this
        "key": typed.get("key") or secrets.token_urlsafe(FORM_KEY_BYTES),  # so that a double press sends it once
        "typed": typed,
        "faults": faults,
    }


def takes_clear_words(context: AppContext) -> bool:
    """Return whether this service opens what is sealed to its keys, so that words in clear give nothing away."""
    return context.unsealer.has_one_of(context.submissions.sealer.fingerprints)
