"""The two forms for a concern: for anybody who is worried about a child, and for a child who is worried."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.models.concerns.concern import ImmediateDanger
from app.models.concerns.reporter import ReporterKind
from app.pages.form.elements import FormSection
from app.pages.form.layout import FORM_SECTIONS, GUIDE_ITEMS, STEPS
from app.pages.form.wording import Wording


@dataclass(frozen=True)
class FormVariant:
    """A form: the page that asks, its questions with their words, and the answers that it gives by itself."""

    template: str
    title: str
    sections: tuple[FormSection, ...]
    steps: Mapping[str, str]
    """The title of each step, in order."""
    wording: Wording = field(default_factory=Wording)
    fixed_answers: Mapping[str, Any] = field(default_factory=dict)
    can_be_saved: bool = True
    """Whether it may be saved and finished later."""


ABOUT_A_CHILD = FormVariant("concern_form.html", "Raise a concern", FORM_SECTIONS, STEPS)
WITHOUT_A_GUIDE = FormVariant(
    "concern_form.html", "Raise a concern", tuple(each for each in FORM_SECTIONS if each.id != GUIDE_ITEMS), STEPS
)
ABOUT_YOURSELF = FormVariant(
    "own_concern_form.html",
    "Tell us what has happened to you",
    sections=(
        FormSection("danger", "Are you safe?", ("immediate_danger",), step="danger"),
        FormSection("worry", "What has happened", ("concern.narrative",), step="worry", warns_of_pictures=True),
        FormSection(
            "you",
            "How we can help",
            ("reporter.safe_times_to_contact", "informed_and_basis.childs_wishes"),
            step="you",
        ),
    ),
    steps={"danger": "Are you safe?", "worry": "What has happened", "you": "How we can help"},
    wording=Wording(
        labels={
            "immediate_danger": "Are you safe now?",
            "concern.narrative": "What has happened?",
            "reporter.safe_times_to_contact": "How can we reach you safely?",
            "informed_and_basis.childs_wishes": "Is there anything that we must not do?",
        },
        hints={
            "immediate_danger": "If you are not safe, call 999 now.",
            "concern.narrative": "Use your own words. You do not need to tell us all of it.",
            "reporter.safe_times_to_contact": "Tell us your name if you want to, and a place, time or number that is "
            "safe for you. It can be your school.",
            "informed_and_basis.childs_wishes": "For example: do not ring my home.",
        },
        choices={
            ("immediate_danger", ImmediateDanger.YES): "No, I am in danger now",
            ("immediate_danger", ImmediateDanger.NO): "Yes, I am safe now",
            ("immediate_danger", ImmediateDanger.NOT_SURE): "I am not sure",
        },
        missing={
            "immediate_danger": "Select whether you are safe now.",
            "concern.narrative": "Write what has happened. One sentence is enough.",
        },
    ),
    fixed_answers={"reporter": {"kind": ReporterKind.CHILD.value}, "children": [{}]},
    can_be_saved=False,
)
