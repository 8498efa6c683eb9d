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
    repeated_answers,
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
    FormVariant,
    groups_of_step,
    short_form_in,
    voice_of,
)
from app.pages.concerns.readers import Reader, reader_of_answers
from app.pages.languages import SHORT_FORM, current_language, gettext, marked_english
from app.pages.page import Site
from app.pages.posted_forms import PLACE, Answers, SubmittedForm, value_at
from app.services.clock.working_days import LONDON
from app.services.concerns.receipts import ANOTHER_COUNCIL
from app.services.guides.editions import EditionHead, current_of, default_guide, get_history, head_of
from app.services.guides.pdf import pdf_available
from app.services.guides.reference_data import lives_elsewhere

NARRATIVE = "concern.narrative"
NO_NARRATIVE = FieldError(("concern", "narrative"), "", FaultCode.REQUIRED)
CHILDREN = "children"
KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
GENERAL, YOURSELF, FRIEND = "/raise-a-concern", "/worried-about-yourself", "/worried-about-a-friend"
FORMS_WITHOUT_GUIDE = {GENERAL: WITHOUT_A_GUIDE, YOURSELF: ABOUT_YOURSELF, FRIEND: ABOUT_A_FRIEND}


@dataclass(frozen=True)
class FilledForm:
    """A form with answers. `variant` is the form, and `path` is where it is posted."""

    site: Site
    variant: FormVariant
    path: str
    head: EditionHead
    key: str
    names_guide: bool = True
    """If False, the service chooses the edition."""
    answers: Answers = field(default_factory=dict)
    opening: str = ""
    """Identifies a saved form that was opened, which expires when the concern is sent."""

    def form(self, extra_entry: str = "") -> ConcernForm:
        counts = {name: len(entries) for name, entries in repeated_answers(self.answers)}
        counts[extra_entry] = counts.get(extra_entry, 0) + 1
        return self._form(counts, value_at(self.answers, ACCOUNT_OF_THE_FIRST))

    def with_answers(self, posted: SubmittedForm) -> "FilledForm":
        """Return the form with these answers. A key and the identifier of a saved form are taken over if valid."""
        key = posted.one("key")
        answers = read_answers(self._form(posted.counts, posted.one(ACCOUNT_OF_THE_FIRST)), posted)
        opening = posted.one("opening")
        return replace(self, key=key if KEY.fullmatch(key) else self.key, answers=answers, opening=opening)

    @property
    def can_be_saved(self) -> bool:
        """Return False for a reporter under 18: someone else could find the code."""
        return self.variant.can_be_saved and not self.voice

    def without_entry(self, entry: str) -> "FilledForm":
        """Return the form without an entry such as `children.1`."""
        copy = self._with_own_answers()
        name, _, number = entry.rpartition(".")
        entries = value_at(copy.answers, name)
        if isinstance(entries, list) and PLACE.fullmatch(number) and int(number) < len(entries):
            del entries[int(number)]
        return copy

    def urgent(self) -> "FilledForm":
        """Return the form with an anonymous reporter if nothing says who reports: danger comes before that question."""
        copy = self._with_own_answers()
        copy.answers.setdefault("reporter", {}).setdefault("kind", ReporterKind.ANONYMOUS.value)
        return copy

    def has_only_begun(self, group: str) -> bool:
        """Return True if an earlier section began the only entry: adding one must show it, not a second."""
        asked = {each.field for each in self.variant.asked_first if each.group == group}
        entries = value_at(self.answers, group)
        return bool(asked) and isinstance(entries, list) and len(entries) == 1 and set(entries[0]) <= asked

    def like_the_first(self, entry: str) -> "FilledForm":
        """Copy the first child's shared answers to a later child, and keep its own."""
        copy = self._with_own_answers()
        children, number = value_at(copy.answers, CHILDREN), entry.removeprefix(f"{CHILDREN}.")
        if isinstance(children, list) and PLACE.fullmatch(number) and 0 < int(number) < len(children):
            children[int(number)] = _shared_answers(children[0]) | children[int(number)]
        return copy

    def without_answer(self, name: str) -> "FilledForm":
        copy = self._with_own_answers()
        parent, _, own_name = name.rpartition(".")
        answers = value_at(copy.answers, parent) if parent else copy.answers
        if isinstance(answers, dict):
            answers.pop(own_name, None)
        return copy

    def _with_own_answers(self) -> "FilledForm":
        return replace(self, answers=deepcopy(self.answers))

    def _form(self, counts: Mapping[str, int], account_of_the_first: str | None) -> ConcernForm:
        content, reference_data = self.site.context.contents(self.head.key), self.site.context.reference_data
        left_out = "" if counts.get(CHILDREN, 1) > 1 or account_of_the_first else ACCOUNT_OF_THE_FIRST
        return FormBuilder(
            content, reference_data, counts, self.variant, duty_to_report(self.site), left_out=left_out
        ).make()

    def fields(self) -> Answers:
        """Return the answers as JSON for the API."""
        shown: Answers = {"guide": self.head.guide, "edition": self.head.number} if self.names_guide else {}
        return shown | self._with_fixed_answers()

    def _with_fixed_answers(self) -> Answers:
        answers = dict(self.answers)
        for name, fixed in self.variant.fixed_answers.items():
            answers[name] = answers.get(name, {}) | fixed if isinstance(fixed, dict) else fixed
        return answers

    def page(self, template: str, form: ConcernForm, *, status: int = 200, **values: Any) -> Response:
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
        """Return the contacts of the current edition, because the form may be of an earlier one."""
        return self.site.context.submissions.resolver.pin(self.head.key).who

    def _own_fields(self) -> list[tuple[str, str]]:
        own = [("key", self.key), ("edition", str(self.head.number)), ("opening", self.opening)]
        return [(name, value) for name, value in own if value]

    @property
    def voice(self) -> str:
        """Return the kind of a reporter under 18, which selects the wording. It is empty for others."""
        return voice_of(str(value_at(self._with_fixed_answers(), "reporter.kind")))

    @property
    def receipt_template(self) -> str:
        if self.variant.is_short:
            return "short_receipt.html"
        return "own_receipt.html" if self.voice else "receipt.html"

    @property
    def reader(self) -> Reader:
        """Return the kind of reader, which selects the wording after sending."""
        return reader_of_answers(self._with_fixed_answers())

    @property
    def can_be_copied(self) -> bool:
        """Return True for professionals only, who may have to keep a copy."""
        return value_at(self.answers, "reporter.kind") == ReporterKind.PROFESSIONAL and pdf_available()

    def copied_fields(self) -> list[tuple[str, str]]:
        """Return hidden fields from which the receipt's page can make a copy."""
        return [*self._own_fields(), *hidden_fields(self.form(), self.answers)] if self.can_be_copied else []

    @property
    def about_danger(self) -> dict[str, Any]:
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
        """Show `focus` first and open, and add an empty entry to `extra_entry`.

        If `is_changed`, the step has a button back to the page for checking.
        """
        form = self.form(extra_entry)
        messages = named_faults(form, faults or [], self.answers)
        open_sections = {
            section.id
            for section in form
            for question in section.questions
            if value_at(self.answers, question.name) is not None or question.name in messages
        } | {
            section.id
            for section in form
            if focus == section.id or any(f"{focus}.".startswith(f"{each.name}.") for each in section.elements)
        }
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
        children = value_at(self.answers, CHILDREN)
        if not isinstance(children, list) or not _shared_answers(children[0]):
            return []
        return [f"{CHILDREN}.{number}" for number in range(1, len(children) + 1)]

    def sentence_page(self, *, faults: list[FieldError] | None = None) -> Response:
        """Show help for a child in danger and the one required question. All other questions are hidden fields."""
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
        """Show the answers for checking. The short form has no such page, and shows itself."""
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
    """Return None before the day in `duty_to_report_from`."""
    settings = site.context.settings
    begins = settings.duty_to_report_from
    if begins is None or site.now.astimezone(LONDON).date() < begins:
        return None
    text = settings.duty_to_report_text
    return marked_english(text) if text else site.says(OnPages.DUTY_TO_REPORT)


def _shared_answers(child: Answers) -> Answers:
    return {name: child[name] for name in SHARED_BY_CHILDREN if name in child}


def empty_form(site: Site, session: Session, path: str, number: str = "") -> FilledForm:
    """Return an empty form, by default for the default guide and the current edition.

    If all editions are withdrawn, use the most recent: a withdrawal must not prevent a concern. Raise `NoSuchGuide` or
    `NoSuchEdition`.
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
