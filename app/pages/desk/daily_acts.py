"""The desk's daily work on a concern, by a form each: who works on it, notes, and questions to the reporter."""

from typing import Annotated

from fastapi import Depends, Response
from sqlmodel import Session

from app.errors import ValidationFailed
from app.faults import FaultCode, FieldError
from app.models.desk.messages import Message
from app.models.desk.notes import NewNote
from app.pages.desk.attempts import attempt_with
from app.pages.desk.carrying_out import Attempt, carry_out, parse
from app.pages.desk.desk_route import DeskRoute
from app.pages.desk.forms import takes_clear_words
from app.pages.desk.inbox import CONCERN_PAGES
from app.services.access.people import list_workers
from app.services.desk import assignment
from app.services.desk.messages import send_message
from app.services.desk.notes import write_note
from app.store.disclosures import Actor
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)

NO_SUCH_WORKER = "choose one of the people who may act here, or nobody"
ONLY_SEALED = "this service takes your words only sealed: write them where your browser or your own machine does that"


@router.post("/{reference}/assignment")
def assign_on_page(attempt: Annotated[Attempt, Depends(attempt_with("assignment"))]) -> Response:
    """Assign the concern to a person of the register, or to nobody."""
    context, person = attempt.context, attempt.posted.one("person")

    def act(actor: Actor) -> None:
        with Session(context.engine) as session:
            if person and person not in list_workers(session):
                raise ValidationFailed([FieldError(("person",), NO_SUCH_WORKER, FaultCode.NOT_LISTED)])
        assignment.assign(
            context.writer,
            attempt.reference,
            person or None,
            actor=actor,
            at=attempt.now,
            precondition=assignment.any_version,  # what the person has seen decides
        )

    return carry_out(attempt, act)


@router.post("/{reference}/notes")
def write_note_on_page(attempt: Annotated[Attempt, Depends(attempt_with("note", anchor="notes"))]) -> Response:
    """Write a note that the desk alone sees."""
    context = attempt.context

    def act(actor: Actor) -> None:
        fields = _typed(attempt)
        if "sealed" in fields:
            fields["recipients"] = tuple(attempt.posted.one("recipients").split())
        write_note(
            context.engine,
            context.writer,
            context.submissions.sealer,
            context.unsealer,
            attempt.reference,
            parse(NewNote, fields),
            keys=attempt.keys_for("note about"),
            actor=actor,
            at=attempt.now,
        )

    return carry_out(attempt, act)


@router.post("/{reference}/messages")
def ask_on_page(attempt: Annotated[Attempt, Depends(attempt_with("question", anchor="questions"))]) -> Response:
    """Send the reporter a question that only the holder of the status token can read."""
    context = attempt.context

    def act(actor: Actor) -> None:
        message = parse(Message, _typed(attempt))
        keys = attempt.keys_for("message to")
        send_message(context.engine, context.writer, attempt.reference, message, keys=keys, actor=actor, at=attempt.now)

    return carry_out(attempt, act)


def _typed(attempt: Attempt) -> dict[str, object]:
    """Return what a person wrote: sealed, or the words themselves, where this service could read them anyway.

    Raises `ValidationFailed` for words in clear at a service that cannot read.
    """
    sealed, text = attempt.posted.one("sealed"), attempt.posted.one("text")
    if sealed:
        return {"sealed": sealed}
    if not takes_clear_words(attempt.context):
        raise ValidationFailed([FieldError(("text",), ONLY_SEALED)])
    return {"text": text.strip()}
