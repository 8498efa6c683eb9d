"""A form that has been filled in but not sent: its answers, how they change, and the pages that show them.

The server stores nothing: each page has the answers in its form fields.
"""

import re
import uuid
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from fastapi import Response
from sqlmodel import Session

from app import errors
from app.errors import FaultCode, FieldError
from app.models.concerns.concern import Concern, ReporterKind
from app.models.guides.legal_statements import OnPages
from app.models.guides.signposts import WhoToCall
from app.pages.concerns.form_answers import (
    answered_sections,
    hidden_fields,
    named_faults,
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
from app.pages.languages import SHORT_FORM, current_language, gettext, marked_english
from app.pages.page import Site
from app.pages.posted_forms import PLACE, Answers, SubmittedForm, value_at
from app.services.concerns.receipts import ANOTHER_COUNCIL
from app.services.guides.editions import EditionHead, current_of, default_guide, get_history, head_of
from app.services.guides.pdf import pdf_available
from app.services.guides.reference_data import lives_elsewhere
from app.services.guides.working_days import LONDON

NARRATIVE = "concern.narrative"
NO_NARRATIVE = FieldError(("concern", "narrative"), "", FaultCode.REQUIRED)
CHILDREN = "children"
KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
GENERAL, YOURSELF, FRIEND = "/raise-a-concern", "/worried-about-yourself", "/worried-about-a-friend"
FORMS_WITHOUT_GUIDE = {GENERAL: WITHOUT_A_GUIDE, YOURSELF: ABOUT_YOURSELF, FRIEND: ABOUT_A_FRIEND}


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
        """The contacts of the guide's current edition, and the signposts. The form may be of an earlier edition."""
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

    If the path names no guide, the guide is the default guide. If `number` is not a number of at most seven digits, use
    the current edition. If there is no current edition because all are withdrawn, use the most recent edition: a
    withdrawal must not prevent a concern. Raise `NoSuchGuide` if the guide does not exist, or if there is no default
    guide. Raise `NoSuchEdition` if the guide has no edition `number`.
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
