"""Pages for raising a concern: the form, the answers to check, the receipt, and saving a form to finish it later.

The server stores nothing before the form is sent or saved: each page has the answers in its form fields. The pages have
no separate validation rules: the models and services of the API decide which answers are accepted.
"""

import datetime as dt
import hashlib
import re
import textwrap
import uuid
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from anyio import from_thread
from fastapi import Depends, Response
from pydantic import ValidationError
from sqlmodel import Session

from app import errors
from app.errors import FaultCode, FieldError
from app.http.auth import (
    SubmitterDep,
    caller_networks,
    expect_within_limit,
    networks_to_count,
    refuse_over_limit,
    require_submitter,
)
from app.http.context import SessionDep
from app.http.negotiation import PDF_TYPE
from app.http.params import GuideName
from app.http.problem_handlers import NO_STORE
from app.http.routes import GuidanceRouter
from app.http.turns import LATE
from app.models.base import canonical_submission
from app.models.concerns.channels import Channel
from app.models.concerns.concern import Concern, ImmediateDanger, ReporterKind
from app.models.concerns.receipts import Receipt
from app.models.guides.legal_statements import OnPages
from app.models.guides.signposts import WhoToCall
from app.pages.concerns.form_answers import (
    answered_sections,
    hidden_fields,
    named_faults,
    printed_section,
    read_answers,
    repeated_entries,
)
from app.pages.concerns.form_builder import FormBuilder
from app.pages.concerns.form_layout import (
    ABOUT_A_CHILD,
    ABOUT_A_FRIEND,
    ABOUT_YOURSELF,
    ACCOUNT_OF_THE_FIRST,
    DANGER,
    SHARED_BY_CHILDREN,
    WITHOUT_A_GUIDE,
    ConcernForm,
    FormSection,
    FormVariant,
    groups_of_step,
    short_form_in,
    voice_of,
)
from app.pages.concerns.readers import Reader, reader_of_answers
from app.pages.error_pages import PageRoute
from app.pages.frame import AS_FILE
from app.pages.languages import SHORT_FORM, current_language, gettext, marked_english, to_translate
from app.pages.page import Site, SiteDep
from app.pages.posted_forms import PLACE, Answers, SubmittedForm, SubmittedFormDep, faults_of, value_at
from app.pages.text_format import date_and_time, deadline, own_steps, spoken, steps_in_words
from app.services.access.clients import Principal
from app.services.concerns.idempotency import derive_idempotency_keys
from app.services.concerns.receipt_signing import check_receipt
from app.services.concerns.receipts import ANOTHER_COUNCIL
from app.services.concerns.saved_forms import group_of
from app.services.desk.exports import concern_pdf
from app.services.guides.editions import EditionHead, current_of, default_guide, get_history, head_of
from app.services.guides.pdf import pdf_available
from app.services.guides.reference_data import lives_elsewhere
from app.services.guides.working_days import LONDON

NARRATIVE = "concern.narrative"
NO_NARRATIVE = FieldError(("concern", "narrative"), "", FaultCode.REQUIRED)
CHILDREN = "children"
PROOF_WIDTH = 60
KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
GENERAL, YOURSELF, FRIEND = "/raise-a-concern", "/worried-about-yourself", "/worried-about-a-friend"
FORMS_WITHOUT_GUIDE = {GENERAL: WITHOUT_A_GUIDE, YOURSELF: ABOUT_YOURSELF, FRIEND: ABOUT_A_FRIEND}
router = GuidanceRouter(include_in_schema=False, route_class=PageRoute)
SEND, SAVE, NOW, SEND_NOW, COPY = "send", "save", "now", "send-now", "copy"
ALREADY_SENT = to_translate(
    "You have already sent this form with different answers, and we have that concern. To send these answers as "
    "another concern, press ‘Send’ again."
)
TOO_MANY_FROM_HERE = to_translate(
    "Very many concerns came from your network, so we cannot take this one yet. Nothing is lost: send a few words now, "
    "or call."
)
NOT_STORED = to_translate(
    "We could not save it just now. Nothing is lost: press ‘Send’ again in a few seconds, or call."
)
BOXES = to_translate(
    "This file cannot print some of the letters that you wrote: a box stands for each of them. We can read them all."
)
NO_DRAFT = to_translate(
    "No saved form has this code. You may have sent the form or saved it again, or it is more than 24 hours old."
)
NOT_FOR_THE_YOUNG = to_translate(
    "We do not save this for a young person, because someone else could find the code. You can send what you have now, "
    "or call."
)
TOO_MANY_SAVED = to_translate(
    "We cannot save this, because too many forms are saved already. Nothing is lost: send what you have now, or call."
)
NOT_SAVED = to_translate(
    "We could not save it just now. Nothing is lost: try again in a few seconds, send what you have, or call."
)


@dataclass(frozen=True)
class FilledForm:
    """A form that has not been sent: the answers, the edition (`head`), and the idempotency key.

    `variant` is the form, and `path` the path of the page to which the form is posted.
    """

    site: Site
    variant: FormVariant
    path: str
    head: EditionHead
    key: str
    names_guide: bool = True
    """True if the person chose the guide. If False, the concern names no guide, and the service chooses the edition."""
    answers: Answers = field(default_factory=dict)
    opening: str = ""
    """The identifier of the saved form that was opened. Empty for a new form.

    The saved form expires when the concern is sent.
    """

    def form(self, extra_entry: str = "") -> ConcernForm:
        """Return the form with as many entries in each group as the answers have.

        If `extra_entry` is not empty, add an empty entry to the group of that name.
        """
        counts = {name: len(entries) for name, entries in repeated_entries(self.answers)}
        counts[extra_entry] = counts.get(extra_entry, 0) + 1
        return self._form(counts, value_at(self.answers, ACCOUNT_OF_THE_FIRST))

    def with_answers(self, posted: SubmittedForm) -> "FilledForm":
        """Return a copy with the answers, the idempotency key and the saved form's identifier from `posted`.

        If the posted key is not valid, keep the present key.
        """
        key = posted.one("key")
        answers = read_answers(self._form(posted.counts, posted.one(ACCOUNT_OF_THE_FIRST)), posted)
        opening = posted.one("opening")
        return replace(self, key=key if KEY.fullmatch(key) else self.key, answers=answers, opening=opening)

    @property
    def can_be_saved(self) -> bool:
        """True if the form may be saved and finished later.

        The answers of a reporter under 18 are never saved, because someone else could find the code.
        """
        return self.variant.can_be_saved and not self.voice

    def without_entry(self, entry: str) -> "FilledForm":
        """Return a copy without the entry at the path `entry` of the answers, such as `children.1`.

        If there is no such entry, the copy has the same answers.
        """
        copy = self._with_own_answers()
        name, _, number = entry.rpartition(".")
        entries = value_at(copy.answers, name)
        if isinstance(entries, list) and PLACE.fullmatch(number) and int(number) < len(entries):
            del entries[int(number)]
        return copy

    def urgent(self) -> "FilledForm":
        """Return a copy in which the reporter is anonymous if the answers do not say who the reporter is.

        A concern about a child in danger can be sent before the question about the reporter is answered.
        """
        copy = self._with_own_answers()
        copy.answers.setdefault("reporter", {}).setdefault("kind", ReporterKind.ANONYMOUS.value)
        return copy

    def has_only_begun(self, group: str) -> bool:
        """Return True if `group` has exactly one entry, with answers only from an earlier section of the form.

        The button that adds an entry then shows this first entry instead of a second entry.
        """
        asked = {each.field for each in self.variant.asked_first if each.group == group}
        entries = value_at(self.answers, group)
        return bool(asked) and isinstance(entries, list) and len(entries) == 1 and set(entries[0]) <= asked

    def like_the_first(self, entry: str) -> "FilledForm":
        """Return a copy in which the child at `entry` has the answers that children of one family often share.

        The answers come from the first child. Answers that the child at `entry` already has stay. Change nothing if
        `entry` is not the path of a child after the first.
        """
        copy = self._with_own_answers()
        children, number = value_at(copy.answers, CHILDREN), entry.removeprefix(f"{CHILDREN}.")
        if isinstance(children, list) and PLACE.fullmatch(number) and 0 < int(number) < len(children):
            children[int(number)] = shared_answers(children[0]) | children[int(number)]
        return copy

    def without_answer(self, name: str) -> "FilledForm":
        """Return a copy without the answer at the path `name`.

        If there is no such answer, the copy has the same answers.
        """
        copy = self._with_own_answers()
        parent, _, own_name = name.rpartition(".")
        answers = value_at(copy.answers, parent) if parent else copy.answers
        if isinstance(answers, dict):
            answers.pop(own_name, None)
        return copy

    def _with_own_answers(self) -> "FilledForm":
        """Return a copy whose answers can change without changing the answers of this form."""
        return replace(self, answers=deepcopy(self.answers))

    def _form(self, counts: Mapping[str, int], account_of_the_first: str | None) -> ConcernForm:
        """Return the form with as many entries in each group as `counts` says.

        If there is only one child and `account_of_the_first` is empty, leave out the question `ACCOUNT_OF_THE_FIRST`.
        `account_of_the_first` is the answer to that question.
        """
        content, reference_data = self.site.context.contents(self.head.key), self.site.context.reference_data
        left_out = "" if counts.get(CHILDREN, 1) > 1 or account_of_the_first else ACCOUNT_OF_THE_FIRST
        return FormBuilder(
            content, reference_data, counts, self.variant, duty_to_report(self.site), left_out=left_out
        ).make()

    def fields(self) -> Answers:
        """Return the concern as JSON for the API: the chosen guide if any, the answers, and the fixed answers."""
        shown: Answers = {"guide": self.head.guide, "edition": self.head.number} if self.names_guide else {}
        return shown | self._with_fixed_answers()

    def _with_fixed_answers(self) -> Answers:
        """Return the answers with the fixed answers of the form's variant. A fixed answer replaces an answer."""
        answers = dict(self.answers)
        for name, fixed in self.variant.fixed_answers.items():
            answers[name] = answers.get(name, {}) | fixed if isinstance(fixed, dict) else fixed
        return answers

    def page(self, template: str, form: ConcernForm, *, status: int = 200, **values: Any) -> Response:
        """Return the page of `template` with `values` and the variables that all pages of the form need.

        `form` is the form to show, and `status` the HTTP status.
        """
        return self.site.page(
            template,
            status=status,
            head=self.head,
            path=self.path,
            title=gettext(self.variant.title),
            steps={step: gettext(title) for step, title in self.variant.steps.items()},
            content=self.site.context.contents(self.head.key),
            who=self.who,
            form=form,
            own_fields=self._own_fields(),
            can_be_saved=self.can_be_saved,
            can_be_copied=self.can_be_copied,
            **self.about_danger,
            **values,
        )

    @property
    def who(self) -> WhoToCall:
        """The contacts and signposts of the form's edition."""
        return self.site.context.submissions.resolver.pin(self.head.key).who

    def _own_fields(self) -> list[tuple[str, str]]:
        """Return the name and value of each form field that is not an answer."""
        own = [("key", self.key), ("edition", str(self.head.number)), ("opening", self.opening)]
        return [(name, value) for name, value in own if value]

    @property
    def voice(self) -> str:
        """The kind of a reporter who is under 18, which selects the wording of the pages.

        Empty for any other reporter.
        """
        return voice_of(str(value_at(self._with_fixed_answers(), "reporter.kind")))

    @property
    def receipt_template(self) -> str:
        """The name of the template for the page with the receipt."""
        if self.variant.is_short:
            return "short_receipt.html"
        return "own_receipt.html" if self.voice else "receipt.html"

    @property
    def reader(self) -> Reader:
        """The kind of person who reads the pages after sending, for the wording of these pages."""
        return reader_of_answers(self._with_fixed_answers())

    @property
    def can_be_copied(self) -> bool:
        """True if the answers may be saved as a PDF: for professionals, who may have to keep a copy.

        False for any other reporter, and if this service cannot make PDFs.
        """
        return value_at(self.answers, "reporter.kind") == ReporterKind.PROFESSIONAL and pdf_available()

    def copied_fields(self) -> list[tuple[str, str]]:
        """Return the hidden form fields with which the page of the receipt requests a copy of the answers.

        Return an empty list if this reporter gets no copy.
        """
        return [*self._own_fields(), *hidden_fields(self.form(), self.answers)] if self.can_be_copied else []

    @property
    def about_danger(self) -> dict[str, Any]:
        """Template variables for the advice in danger: the answer about immediate danger, and `voice`."""
        return {"immediate_danger": self.answers.get(DANGER), "voice": self.voice}

    def form_page(
        self,
        *,
        faults: list[FieldError] | None = None,
        status: int = errors.ValidationFailed.status,
        extra_entry: str = "",
        focus: str = "",
        is_changed: bool = False,
    ) -> Response:
        """Return the page of the form with the answers so far, and with the errors in `faults` beside their questions.

        If there are errors, the page has the status `status`, otherwise 200. `extra_entry` is the path of a group that
        gets an empty entry. `focus` is the section, group or entry to open, and to show first if there are no errors.
        If `is_changed` is True, the person came from the page for checking the answers to change the section `focus`.
        The step of this section then has a button that leads back to the page for checking.
        """
        form = self.form(extra_entry)
        messages = named_faults(form, faults or [], self.answers)
        open_sections = {
            section.id
            for section in form
            for question in section.questions
            if value_at(self.answers, question.name) is not None or question.name in messages
        } | {section.id for section in form if _holds(section, focus)}
        return self.page(
            self.variant.template,
            form,
            status=status if messages else 200,
            faults=messages,
            open_sections=open_sections,
            groups_of=partial(groups_of_step, form),
            like_the_first=self._like_the_first(),
            changed_step=next((each.step for each in form if is_changed and each.id == focus), ""),
            focus="" if messages else focus,
            value=lambda name: value_at(self.answers, name),
            has_answers=bool(self.answers),
        )

    def _like_the_first(self) -> list[str]:
        """Return the paths of the children to whom the page offers to copy the shared answers of the first child.

        These are each child after the first, and the next child that the person may add. Return an empty list if the
        first child has no answers in `SHARED_BY_CHILDREN`.
        """
        children = value_at(self.answers, CHILDREN)
        if not isinstance(children, list) or not shared_answers(children[0]):
            return []
        return [f"{CHILDREN}.{number}" for number in range(1, len(children) + 1)]

    def sentence_page(self, *, faults: list[FieldError] | None = None) -> Response:
        """Return the page with help for a child in danger, and with one question: what the person is worried about.

        The person must answer this question before sending. All other answers are kept in hidden fields. `faults` are
        the errors of an earlier attempt. For the short form, return the form with an error instead.
        """
        if self.variant.is_short:
            return self.form_page(faults=[NO_NARRATIVE])
        form = self.form()
        messages = named_faults(form, faults or [], self.answers)
        hidden = [(name, value) for name, value in hidden_fields(form, self.answers) if name != NARRATIVE]
        return self.page(
            "send_now.html",
            form,
            status=errors.ValidationFailed.status if messages else 200,
            faults=messages,
            question=next(each for section in form for each in section.questions if each.name == NARRATIVE),
            hidden_fields=hidden,
        )

    def check_page(self, concern: Concern, *, fault: str | None = None, status: int = 200) -> Response:
        """Return the page with the answers, for the person to check before sending.

        `concern` is made from the same answers. `fault` is an error message to show, or None, and `status` the HTTP
        status. For the short form, return the form with the answers instead.
        """
        if self.variant.is_short:
            return self.form_page(faults=[FieldError((), fault)] if fault else None, status=status)
        form, reference_data = self.form(), self.site.context.reference_data
        return self.page(
            "check_answers.html",
            form,
            status=status,
            faults={"send": gettext(fault)} if fault else {},
            sections=answered_sections(form, self.answers),
            also_call=reference_data.also_call(concern, self.who.signposts),
            passes_on=ANOTHER_COUNCIL if lives_elsewhere(concern, reference_data.neighbours) else None,
            hidden_fields=list(hidden_fields(form, self.answers)),
        )


def duty_to_report(site: Site) -> str | None:
    """Return the form's text on the duty to report: the council's own text, otherwise the legal statement.

    Return None if the form does not ask about the duty: the council has not set the first day for this question, or
    that day is in the future.
    """
    settings = site.context.settings
    begins = settings.duty_to_report_from
    if begins is None or site.now.astimezone(LONDON).date() < begins:
        return None
    text = settings.duty_to_report_text
    return marked_english(text) if text else site.says(OnPages.DUTY_TO_REPORT)


def shared_answers(child: Answers) -> Answers:
    """Return the answers in `child` that the children of one family often share."""
    return {name: child[name] for name in SHARED_BY_CHILDREN if name in child}


def _holds(section: FormSection, name: str) -> bool:
    """Return True if `name` is the id of `section`, the path of an element in `section`, or the path of an entry."""
    return name == section.id or any(f"{name}.".startswith(f"{element.name}.") for element in section.elements)


def empty_form(site: Site, session: Session, path: str, number: str = "") -> FilledForm:
    """Return an empty form for the page at `path`, with the edition `number` of the guide that the path names.

    If the path names no guide, the guide is the default guide. If `number` is not a number, use the current edition. If
    there is no current edition because all are withdrawn, use the most recent edition: a withdrawal must not prevent a
    concern. Raise `NoSuchGuide` if the guide does not exist, or if there is no default guide. Raise `NoSuchEdition` if
    the guide has no edition `number`.
    """
    if path == SHORT_FORM:
        variant = short_form_in(current_language().english_name)
    else:
        variant = FORMS_WITHOUT_GUIDE.get(path, ABOUT_A_CHILD)
    names_guide = variant is ABOUT_A_CHILD
    guide = path.rpartition("/")[2] if names_guide else default_guide(session, site.context.settings.default_guide)
    if guide is None:
        raise errors.NoSuchGuide
    history = get_history(session, guide=guide)
    is_number = number.isdecimal() and len(number) <= len("1000000")
    head = head_of(history, int(number)) if is_number else current_of(history) or history[0]
    return FilledForm(site, variant, path, head, str(uuid.uuid4()), names_guide)


def _expect_short_language() -> None:
    """Raise `NotFound` if every page exists in the current language, which then has no short form."""
    if current_language().is_whole:
        raise errors.NotFound


def _check_name(guide: GuideName) -> None:
    """Do nothing.

    The annotation makes FastAPI validate the guide's name in the path, and return 404 if it is not valid.
    """


@router.get(GENERAL, dependencies=[Depends(require_submitter)])
@router.get(YOURSELF, dependencies=[Depends(require_submitter)])
@router.get(FRIEND, dependencies=[Depends(require_submitter)])
@router.get(SHORT_FORM, dependencies=[Depends(_expect_short_language), Depends(require_submitter)])
@router.get(f"{GENERAL}/{{guide}}", dependencies=[Depends(require_submitter), Depends(_check_name)])
def read_form(site: SiteDep, session: SessionDep) -> Response:
    """Return the empty form: for the current edition of the guide in the path, or without a guide.

    Raise the errors of `empty_form`.
    """
    return site.compressed(empty_form(site, session, site.request.scope["path"]).form_page())


@router.post(GENERAL)
@router.post(YOURSELF)
@router.post(FRIEND)
@router.post(SHORT_FORM, dependencies=[Depends(_expect_short_language)])
@router.post(f"{GENERAL}/{{guide}}", dependencies=[Depends(_check_name)])
def post_form(site: SiteDep, session: SessionDep, posted: SubmittedFormDep, submitter: SubmitterDep) -> Response:
    """Run the action of the pressed button, and return the resulting page or file.

    The page has the answers to check, the changed form, the receipt, or the code of the saved form. The file is a PDF
    with a copy of the answers. `submitter` is the client or the anonymous caller that sends the form. Raise the errors
    of `empty_form`, and `RateLimited` if a copy is requested and the request is over the rate limit.
    """
    filled = empty_form(site, session, site.request.scope["path"], posted.one("edition"))
    session.close()  # frees the connection: a request must not hold a connection while waiting for another
    return _act(filled, posted, submitter)


def _act(empty: FilledForm, posted: SubmittedForm, submitter: Principal) -> Response:
    filled = empty.with_answers(posted)
    action, _, target = posted.one("do").partition(":")
    if (rearranged := _rearranged(filled, action, target)) is not None:
        return rearranged
    if action == SAVE and filled.variant.can_be_saved:
        return save_form(filled)
    if action in (NOW, SEND_NOW):
        if not value_at(filled.answers, NARRATIVE):
            return filled.sentence_page(faults=[NO_NARRATIVE] if action == SEND_NOW else None)
        filled = filled.urgent()
    return _finish(filled, posted, submitter)


def _finish(filled: FilledForm, posted: SubmittedForm, submitter: Principal) -> Response:
    """Validate the answers in `filled`. Then send the concern, or return a copy or the page for checking.

    The pressed button decides between these three. `submitter` is the client or the anonymous caller that sends the
    form. If an answer is not valid, return the form with the errors. Raise `RateLimited` if a copy is requested and the
    request is over the rate limit.
    """
    action = posted.one("do")
    try:
        concern = Concern.model_validate(filled.fields())
        filled.site.context.submissions.check(concern, for_tests=submitter.for_tests, at=filled.site.now)
    except ValidationError as error:
        return filled.form_page(faults=faults_of(error))
    except errors.InvalidConcern as error:
        return filled.form_page(faults=list(error.faults))
    if action in (SEND, NOW, SEND_NOW):
        page = _send(filled, concern, submitter)
    elif action == COPY and filled.can_be_copied:
        refuse_over_limit(filled.site.request)  # making a PDF takes as much time as storing many concerns
        page = _copy(filled, concern, posted.one("receipt"))
    else:
        page = filled.check_page(concern)
    return page


def _rearranged(filled: FilledForm, action: str, target: str) -> Response | None:
    """Return the page of the changed form if `action` only changes the answers in `filled`, otherwise None.

    `action` and `target` are the parts of a button's value: the button `add:children` adds an entry to `children`.
    """
    match action:
        case "change":
            return filled.form_page(focus=target, is_changed=True)
        case "clear":
            return filled.without_answer(target).form_page(focus=target)
        case "add":
            entries = value_at(filled.answers, target)
            number = len(entries) if isinstance(entries, list) else 0
            has_begun = filled.has_only_begun(target)
            return filled.form_page(
                extra_entry="" if has_begun else target, focus=f"{target}.{0 if has_begun else number}"
            )
        case "same":
            return filled.like_the_first(target).form_page(focus=target)
        case "remove":
            return filled.without_entry(target).form_page(focus=target.rpartition(".")[0])
    return None


def _copy(filled: FilledForm, concern: Concern, signed: str) -> Response:
    """Return the answers in `filled` as a PDF, and store nothing. `concern` is made from the same answers.

    If `signed` is the signed receipt of exactly these answers, the PDF has the reference and the time. Otherwise the
    PDF says that the concern was not sent.
    """
    site, sent = filled.site, _find_sent(filled.site, concern, signed)
    reference = sent.get("jti", "")
    sections = [printed_section(each) for each in answered_sections(filled.form(), filled.answers)]
    printed = {
        "title": gettext("Concern {}").format(reference) if sent else gettext("Not sent yet"),
        "footer": gettext("Confidential: about a child."),
        "lang": current_language().code,
        "council": site.context.settings.council_name,
        "made": gettext("A copy of what you sent.") if sent else gettext("A copy of your answers."),
        "facts": _facts_of(site, concern, sent) if sent else [],
        "boxes": gettext(BOXES),
        "sections": [*(each for each in sections if each["groups"]), *([_proof(signed)] if sent else [])],
    }
    headers = {"Content-Disposition": AS_FILE.format(f"concern-{reference or 'not-sent'}.pdf")}
    return Response(concern_pdf(printed), media_type=PDF_TYPE, headers=headers)


def _facts_of(site: Site, concern: Concern, sent: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the facts at the top of a copy of `concern`: the reference and the time of sending.

    If the deadline is promised and the concern is not a test, add the deadline. `sent` has the claims of the signed
    receipt.
    """
    receipts, at = site.context.submissions.receipts, dt.datetime.fromisoformat(sent["received_at"])
    facts = [(gettext("Reference"), sent["jti"]), (gettext("Sent"), date_and_time(at))]
    if receipts.is_promised(concern.immediate_danger) and not sent.get("test"):
        due = receipts.acknowledge_by(concern.immediate_danger, at=at)
        facts.append((gettext("A social worker should read it by"), deadline(due)))
    return facts


def _proof(signed: str) -> dict[str, Any]:
    """Return the signed receipt `signed` as the last section of a copy, in lines that fit the page."""
    lines = "\n".join(textwrap.wrap(signed, PROOF_WIDTH))
    answer = {"label": gettext("Join the lines to check it with the keys of this website."), "text": lines}
    return {"title": gettext("Signed receipt"), "groups": [{"heading": "", "answers": [answer]}]}


def _find_sent(site: Site, concern: Concern, signed: str) -> dict[str, Any]:
    """Return the claims of the receipt `signed` if this service signed that receipt for exactly this `concern`.

    Otherwise return an empty dict.
    """
    try:
        claims = check_receipt(signed, {"keys": list(site.context.signer.jwks)})
    except errors.ReceiptNotGenuine:
        return {}
    is_same = claims.get("submission_sha256") == hashlib.sha256(canonical_submission(concern)).hexdigest()
    return claims if is_same else {}


def _send(filled: FilledForm, concern: Concern, submitter: Principal) -> Response:
    """Submit `concern`, which is made from `filled`, and return the page with the receipt (201).

    `submitter` is the client or the anonymous caller that sends the form. If a saved form was opened, that saved form
    expires. Return the page with the answers and an error, so that nothing is lost, in three cases: the form was sent
    before with other answers, too many concerns came from the network or client, or the concern cannot be stored now.
    """
    request = filled.site.request
    keys = derive_idempotency_keys(filled.key, client=submitter.name)
    submit = partial(
        filled.site.context.submissions.submit,
        concern,
        for_tests=submitter.for_tests,
        networks=networks_to_count(request, submitter),
        channel=Channel.FORM,
        keys=keys,
        at=filled.site.now,
    )
    try:
        expect_within_limit(request, submitter, concern)
        result = from_thread.run(submit)
    except errors.IdempotencyKeyReused:
        anew = replace(filled, key=str(uuid.uuid4()))
        return anew.check_page(concern, fault=ALREADY_SENT, status=errors.IdempotencyKeyReused.status)
    except errors.RateLimited as refusal:
        refused = filled.check_page(concern, fault=TOO_MANY_FROM_HERE, status=errors.TooManyConcerns.status)
        refused.headers.update(refusal.headers)
        return refused
    except (errors.StoreBusy, errors.ReferenceTaken, *NO_STORE):
        return filled.check_page(concern, fault=NOT_STORED, status=errors.ServiceUnavailable.status)
    request.scope["state"][LATE] = result.is_late
    with suppress(errors.StoreBusy, *NO_STORE):  # the saved form then stays until it expires
        filled.site.context.saved_forms.end(filled.opening, at=filled.site.now)
    receipt, in_danger = Receipt.model_validate_json(result.receipt), filled.answers.get(DANGER) == ImmediateDanger.YES
    next_steps = own_steps if filled.voice else partial(steps_in_words, at=filled.site.now)
    return filled.site.page(
        filled.receipt_template,
        status=201,
        receipt=receipt,
        who=WhoToCall(receipt.contacts, receipt.signposts),
        reference_aloud=spoken(receipt.reference),
        head=filled.head,
        path=filled.path,
        copied_fields=filled.copied_fields(),
        reader=filled.reader,
        steps=next_steps(receipt, in_danger=in_danger),
        **filled.about_danger,
    )


def save_form(filled: FilledForm) -> Response:
    """Save the form `filled`, and return the page (201) with the code that opens the saved form.

    If the form cannot be saved, return the form with an error, so that nothing is lost.
    """
    if not filled.can_be_saved:
        return filled.form_page(faults=[FieldError((), NOT_FOR_THE_YOUNG, FaultCode.INVALID)])
    fields: dict[str, list[str]] = {"key": [filled.key], "edition": [str(filled.head.number)]}
    for name, value in hidden_fields(filled.form(), filled.answers):
        fields.setdefault(name, []).append(value)
    context, networks = filled.site.context, caller_networks(filled.site.request)
    size = sum(len(value.encode()) for values in fields.values() for value in values)
    try:
        refuse_over_limit(filled.site.request)
        source = context.submissions.sources.admit_saved_form(networks, size, day=filled.site.now.date())
        saved = context.saved_forms.save(filled.path, fields, source=source, opening=filled.opening, at=filled.site.now)
    except (errors.RateLimited, errors.SavedFormsFull) as refusal:
        refused = filled.form_page(faults=[FieldError((), TOO_MANY_SAVED, FaultCode.INVALID)], status=refusal.status)
        refused.headers.update(refusal.headers if isinstance(refusal, errors.RateLimited) else {})
        return refused
    except (errors.StoreBusy, *NO_STORE):
        return filled.form_page(
            faults=[FieldError((), NOT_SAVED, FaultCode.INVALID)], status=errors.ServiceUnavailable.status
        )
    return filled.site.page("saved_draft.html", status=201, saved=saved, aloud=spoken(saved.code))


@router.get("/concerns/saved", dependencies=[Depends(require_submitter)])
def read_code_form(site: SiteDep) -> Response:
    """Return the form that asks for the code of a saved form."""
    return site.compressed(_code_form(site, SubmittedForm()))


@router.post("/concerns/saved", dependencies=[Depends(require_submitter)])
def open_saved_form(site: SiteDep, session: SessionDep, posted: SubmittedFormDep) -> Response:
    """Return the saved form with the posted code. If the code is wrong, return the form for the code with an error.

    The browser sends the code in the request body, so that no address has the code. Raise `TooManyTries` after too many
    wrong codes, `RateLimited` if the code was used too often, or `StoreBusy` if the opening could not be stored in
    time.
    """
    code = posted.one("code").strip()
    try:
        with site.context.code_tries.guard(f"draft {group_of(code)}", caller_networks(site.request)):
            site.context.saved_forms.expect(code, at=site.now)
        opened = site.context.saved_forms.open(code, page=posted.one("page"), at=site.now)
    except errors.NoSuchSavedForm:
        return _code_form(site, posted, fault=NO_DRAFT)
    saved = SubmittedForm(opened.fields)
    filled = empty_form(site, session, opened.path, saved.one("edition"))
    return replace(filled.with_answers(saved), opening=opened.opening).form_page()


def _code_form(site: Site, posted: SubmittedForm, *, fault: str | None = None) -> Response:
    """Return the form that asks for the code of a saved form, with the error `fault` if given.

    The hidden field `page` identifies this page. When a code opens a saved form, the digest of `page` is stored with
    the saved form: if the form is saved again, the service can tell whether another page has opened it since.
    """
    return site.page(
        "saved_draft_form.html",
        status=errors.NotFound.status if fault else 200,
        faults={"code": gettext(fault)} if fault else {},
        page=posted.one("page") or str(uuid.uuid4()),
    )
