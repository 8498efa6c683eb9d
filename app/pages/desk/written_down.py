"""The page on which a worker writes down what came by call, letter, email or visit: a new concern or an addition."""

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Response

from app import errors
from app.errors import FaultCode, FieldError
from app.models.concerns.channels import WorkersChannel
from app.models.concerns.concern import FORM_VERSION, MAX_NARRATIVE, ImmediateDanger, ReporterKind
from app.models.concerns.entries import AdditionEntry
from app.models.concerns.written_down import WrittenAddition, WrittenConcern, WrittenReceipt
from app.models.guides.signposts import WhoToCall
from app.models.references import find_reference, new_reference
from app.pages.desk.actions import FORM_KEY_BYTES, ONLY_SEALED, accepts_unencrypted_text
from app.pages.desk.unsent import key_response
from app.pages.frame import DeskRouter, Visit, WorkerVisitDep
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep, parse_fields
from app.pages.text_format import spoken
from app.services.access.sign_in import PATH
from app.services.clock.working_days import LONDON
from app.services.concerns.written_down import write_down_addition, write_down_concern
from app.services.guides.editions import list_current

router = DeskRouter(f"{PATH}/new")
NEW = "new"
"""Name under which the browser stores unsent text that has no reference yet."""
NARRATIVE, DANGER, KIND, AGE = "concern.narrative", "immediate_danger", "reporter.kind", "children.0.estimated_age"
ABOUT_STAFF = "concern.about_council_staff"
TO_CONCERN = "to_concern"
MOST_GUIDES = 200
SAID_OF_ADDITION = {
    "reporter.name": "From",
    "reporter.phone": "Number",
    "children.0.given_names": "Child",
    "children.0.family_name": "Family name",
    AGE: "Age",
    "children.0.school_or_setting": "School",
}
"""Fields that an addition lacks. Each becomes a line of its text."""
NOT_A_TIME = "give the time and the day on which it came"
REFUSED_TO_ADD: Mapping[type[errors.GuidanceError], str] = {
    errors.NoSuchConcern: "no concern has this reference: check it for a mistake",
    errors.ConcernErased: "the text of this concern has been erased: write it down as a new concern",
    errors.TooManyAdditions: "this concern can have no more additions: write it down as a new concern",
}
SENT_BEFORE = "you have already written this down with other text: it is stored. To store this too, press again"
NOT_SAVED = "sorry, this could not be saved: try again in a few seconds"
NO_DANGER = "say whether a child is in immediate danger"
NO_TEXT = "write down what was said"


@dataclass(frozen=True)
class NewForm:
    visit: Visit
    posted: SubmittedForm

    @property
    def to_concern(self) -> str:
        """Return the reference as typed. It is empty for a new concern."""
        return self.posted.one(TO_CONCERN).strip()

    @property
    def in_danger(self) -> bool:
        return self.posted.one(DANGER) == ImmediateDanger.YES

    def expect_answers(self) -> None:
        has_text = self.posted.one("sealed") or self.posted.one(NARRATIVE).strip()
        missing = {NARRATIVE: NO_TEXT} if not has_text else {}
        missing |= {DANGER: NO_DANGER} if not self.posted.one(DANGER) else {}
        if missing:
            faults = [FieldError((name,), sentence, FaultCode.REQUIRED) for name, sentence in missing.items()]
            raise errors.ValidationFailed(faults)

    def text(self) -> dict[str, Any]:
        if self.posted.one("sealed"):
            given: dict[str, Any] = {
                name: self.posted.one(name) for name in ("sealed", DANGER, "card") if self.posted.one(name)
            }
            given |= {"restricted": True} if self.posted.one("restricted") == "yes" else {}
            return given | {"recipients": self.posted.one("recipients").split()}
        if not accepts_unencrypted_text(self.visit.context):
            raise errors.ValidationFailed([FieldError((NARRATIVE,), ONLY_SEALED)])
        return {"addition": self._addition()} if self.to_concern else {"submission": self._submission()}

    def came(self) -> dict[str, Any]:
        """Return the fields for the time of arrival, in London time."""
        try:
            day = dt.date.fromisoformat(self.posted.one("came_on"))
            time = dt.time.fromisoformat(self.posted.one("came_at"))
        except ValueError:
            raise errors.ValidationFailed([FieldError(("came_at",), NOT_A_TIME, FaultCode.NOT_A_DATE)]) from None
        return {"channel": self.posted.one("channel"), "came_at": dt.datetime.combine(day, time, tzinfo=LONDON)}

    def _submission(self) -> dict[str, Any]:
        filled = {name: self.posted.one(name).strip() for name in (*SAID_OF_ADDITION, KIND)}
        child = {name.rpartition(".")[2]: value for name, value in filled.items() if value and "children" in name}
        reporter = {name.rpartition(".")[2]: value for name, value in filled.items() if value and "reporter" in name}
        if not filled[KIND]:
            reporter["kind"] = (ReporterKind.MEMBER_OF_PUBLIC if reporter else ReporterKind.ANONYMOUS).value
        guide = self.posted.one("guide")
        return {
            DANGER: self.posted.one(DANGER),
            "reporter": reporter,
            "children": [child],
            "concern": {"narrative": self.posted.one(NARRATIVE).strip()} | self._about_staff(),
        } | ({"guide": guide} if guide else {})

    def _addition(self) -> dict[str, Any]:
        said = [(label, self.posted.one(name).strip()) for name, label in SAID_OF_ADDITION.items()]
        lines = "\n".join(f"{label}: {value}" for label, value in said if value)
        text = self.posted.one(NARRATIVE).strip()
        narrative = f"{text}\n\n{lines}".strip() if text else ""
        return {DANGER: self.posted.one(DANGER), "concern": {"narrative": narrative} | self._about_staff()}

    def _about_staff(self) -> dict[str, str]:
        return {"about_council_staff": "yes"} if self.posted.one(ABOUT_STAFF) == "yes" else {}


@router.get("")
def read_new_page(visit: WorkerVisitDep, to: str = "") -> Response:
    """`to` is the reference to add to. Other text is ignored."""
    return _form_page(NewForm(visit, SubmittedForm({TO_CONCERN: [find_reference(to) or ""]})))


@router.post("")
def write_down_on_page(visit: WorkerVisitDep, posted: SubmittedFormDep) -> Response:
    """Keep refused input in the form. A form sent twice is stored once."""
    form = NewForm(visit, posted)
    try:
        form.expect_answers()
        return _add(form) if form.to_concern else _create(form)
    except errors.ValidationFailed as refusal:
        faults = {_field_of(each): each.detail for each in refusal.faults}
    except tuple(REFUSED_TO_ADD) as refusal:
        faults = {TO_CONCERN: REFUSED_TO_ADD[type(refusal)]}
    except errors.IdempotencyKeyReused:
        return _form_page(form, {NARRATIVE: SENT_BEFORE}, status=409, has_new_key=True)
    except (errors.StoreBusy, errors.ReferenceTaken):
        return _form_page(form, {NARRATIVE: NOT_SAVED}, status=503)
    return _form_page(form, faults, status=422)


@router.post("/typed")
def open_typed_on_new_page(visit: WorkerVisitDep, posted: SubmittedFormDep) -> Response:
    return key_response(visit, NEW, posted)


def _create(form: NewForm) -> Response:
    visit, posted = form.visit, form.posted
    fields = form.came() | form.text() | {"wants_code": posted.one("wants_code") == "yes"}
    if posted.one("sealed"):
        fields |= {"reference": posted.one("reference"), "form_version": FORM_VERSION}
        fields |= {"guide": posted.one("guide")} if posted.one("guide") else {}
    written, key = parse_fields(WrittenConcern, fields), posted.one("key") or None
    context = visit.context
    stored = write_down_concern(context.submissions, context.unsealer, written, visit.actor, key)
    receipt = WrittenReceipt.model_validate_json(stored.receipt)
    return visit.page(
        "desk_written_down.html",
        reference=receipt.reference,
        may_open=visit.may_open(receipt.reference),
        receipt=receipt,
        acknowledge_by=receipt.acknowledge_by,
        code_aloud=spoken(receipt.status_token) if receipt.status_token else (),
        aloud=spoken(receipt.reference),
        in_danger=form.in_danger,
        addition=None,
        who=WhoToCall(receipt.contacts, receipt.signposts),
    )


def _add(form: NewForm) -> Response:
    visit = form.visit
    reference = visit.openable_reference(form.to_concern)
    written = parse_fields(WrittenAddition, form.came() | form.text())
    context, key = visit.context, form.posted.one("key") or None
    stored = write_down_addition(context.follow_ups, context.unsealer, reference, written, visit.actor, key)
    addition = AdditionEntry.model_validate_json(stored.receipt)
    return visit.page(
        "desk_written_down.html",
        reference=reference,
        may_open=visit.may_open(reference),
        receipt=None,
        acknowledge_by=addition.acknowledge_by,
        code_aloud=(),
        aloud=spoken(reference),
        in_danger=form.in_danger,
        addition=addition.number,
    )


def _field_of(fault: FieldError) -> str:
    at = ".".join(str(each) for each in fault.at if each not in ("submission", "addition"))
    return at if at in {*SAID_OF_ADDITION, KIND, DANGER, "channel", "came_at", "guide", TO_CONCERN} else NARRATIVE


def _form_page(
    form: NewForm, faults: Mapping[str, str] | None = None, *, status: int = 200, has_new_key: bool = False
) -> Response:
    """`has_new_key`: the next post stores another."""
    visit, posted = form.visit, form.posted
    context, local = visit.context, visit.now.astimezone(LONDON)
    guides = visit.read(list_current, limit=MOST_GUIDES)
    typed = {"channel": WorkersChannel.CALL.value, "came_at": f"{local:%H:%M}", "came_on": local.date().isoformat()}
    typed |= {name: posted.one(name) for name in posted.fields}
    return visit.page(
        "desk_new.html",
        status=status,
        typed=typed,
        faults={name: _sentence(fault) for name, fault in (faults or {}).items()},
        channels=[(each.value, each.meaning) for each in WorkersChannel],
        kinds=[(each.value, each.value.replace("_", " ").capitalize()) for each in ReporterKind],
        guides=[(each.guide, each.title) for each in guides] if len(guides) > 1 else [],
        latest_day=local.date().isoformat(),
        reference=new_reference(),
        recipients=" ".join(map(str, context.submissions.sealer.recipients)),
        takes_clear=accepts_unencrypted_text(context),
        key=secrets.token_urlsafe(FORM_KEY_BYTES) if has_new_key or not posted.one("key") else posted.one("key"),
        most=MAX_NARRATIVE,
        said_of_addition=list(SAID_OF_ADDITION.items()),
    )


def _sentence(fault: str) -> str:
    """Return the fault as a sentence. A fault that begins with `must` is always about the time."""
    whole = f"The time {fault}" if fault.startswith("must ") else fault
    return whole[:1].upper() + whole[1:]
