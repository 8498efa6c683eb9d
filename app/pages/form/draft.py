"""A concern that is not sent yet, and the pages that show it: the form, and the answers to check."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import Response

from app.errors import ValidationFailed
from app.faults import FieldError
from app.models.concerns.concern import Concern
from app.models.concerns.reporter import ReporterKind
from app.pages.form.elements import ConcernForm, FormSection
from app.pages.form.form_builder import FormBuilder
from app.pages.form.form_data import PLACE, Answers, SubmittedForm, hidden_fields, read_answers, value_at
from app.pages.form.form_view import answered_sections, named_faults
from app.pages.form.variants import FormVariant
from app.pages.languages import gettext
from app.pages.page import private_page
from app.store.editions import EditionHead
from app.web.context import AppContext

KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Draft:
    """A concern that is not sent yet: the address of its form, its edition, its idempotency key and its answers."""

    context: AppContext
    variant: FormVariant
    path: str
    head: EditionHead
    key: str
    names_guide: bool = True
    """Whether the person chose the guide. Otherwise the concern names none, and the service chooses the edition."""
    answers: Answers = field(default_factory=dict)

    def form(self, extra_entry: str = "") -> ConcernForm:
        """Return the form with an entry for each of the answers, and one more in the group `extra_entry`."""
        counts = {name: len(entries) for name, entries in repeated_entries(self.answers)}
        counts[extra_entry] = counts.get(extra_entry, 0) + 1
        return self._form(counts)

    def with_answers(self, posted: SubmittedForm) -> "Draft":
        """Return the draft with the answers and the key of a posted form."""
        key = posted.one("key")
        answers = read_answers(self._form(posted.counts), posted)
        return replace(self, key=key if KEY.fullmatch(key) else self.key, answers=answers)

    @property
    def can_be_saved(self) -> bool:
        """Whether it may be finished later. A young person's answers are never saved: someone could find the code."""
        return self.variant.can_be_saved and value_at(self.answers, "reporter.kind") != ReporterKind.CHILD

    def without_entry(self, entry: str) -> "Draft":
        """Return the draft without an entry of a group."""
        name, _, number = entry.rpartition(".")
        entries = value_at(self.answers, name)
        if isinstance(entries, list) and PLACE.fullmatch(number) and int(number) < len(entries):
            del entries[int(number)]
        return self

    def without_answer(self, name: str) -> "Draft":
        """Return the draft without the answer of that name."""
        parent, _, own_name = name.rpartition(".")
        answers = value_at(self.answers, parent) if parent else self.answers
        if isinstance(answers, dict):
            answers.pop(own_name, None)
        return self

    def _form(self, counts: Mapping[str, int]) -> ConcernForm:
        content = self.context.contents(self.head.key)
        reference_data = self.context.reference_data
        return FormBuilder(content, reference_data, counts, self.variant.sections, self.variant.wording).make()

    def concern(self) -> Concern:
        """Return the concern as the model of the API. Raise `ValidationError` if it is not valid."""
        return Concern.model_validate(self.fields())

    def fields(self) -> Answers:
        """Return the concern as JSON for the API."""
        shown: Answers = {"guide": self.head.guide, "edition": self.head.number} if self.names_guide else {}
        answers = shown | self.answers
        for name, fixed in self.variant.fixed_answers.items():
            answers[name] = answers.get(name, {}) | fixed if isinstance(fixed, dict) else fixed
        return answers

    def page(self, template: str, form: ConcernForm, *, status: int = 200, **values: Any) -> Response:
        """Return a page that contains the draft."""
        return private_page(
            self.context,
            template,
            status=status,
            head=self.head,
            path=self.path,
            title=gettext(self.variant.title),
            steps={step: gettext(title) for step, title in self.variant.steps.items()},
            content=self.context.contents(self.head.key),
            form=form,
            key=self.key,
            can_be_saved=self.can_be_saved,
            immediate_danger=self.answers.get("immediate_danger"),
            **values,
        )

    def form_page(
        self,
        *,
        faults: list[FieldError] | None = None,
        status: int = ValidationFailed.status,
        extra_entry: str = "",
        focus: str = "",
    ) -> Response:
        """Return the form with the answers so far, and an error beside each question that has one, with that status."""
        form = self.form(extra_entry)
        messages = named_faults(form, faults or [])
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
            focus="" if messages else focus,
            value=lambda name: value_at(self.answers, name),
        )

    def check_page(self, *, fault: str | None = None, status: int = 200) -> Response:
        """Return the answers, for the person to check before sending."""
        form = self.form()
        return self.page(
            "check_answers.html",
            form,
            status=status,
            faults={"send": gettext(fault)} if fault else {},
            sections=answered_sections(form, self.answers),
            hidden_fields=list(hidden_fields(form, self.answers)),
        )


def _holds(section: FormSection, name: str) -> bool:
    """Return whether the section has that id, or has the group or the entry of that name."""
    return name == section.id or any(f"{name}.".startswith(f"{element.name}.") for element in section.elements)


def repeated_entries(answers: Answers, prefix: str = "") -> list[tuple[str, list[Any]]]:
    """Return each list of entries among the answers, with its name."""
    found: list[tuple[str, list[Any]]] = []
    for name, value in answers.items():
        if isinstance(value, dict):
            found += repeated_entries(value, f"{prefix}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            found.append((f"{prefix}{name}", value))
    return found
