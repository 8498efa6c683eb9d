"""What the form for a concern asks: its elements, steps and sections, its words, and its variants.

The fields with their codes and limits come from the models (`app.models.concerns`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.models.concerns import ImmediateDanger, ReporterKind


class QuestionKind(StrEnum):
    """The input of a question."""

    LINE = "line"  # a line of text
    SHORT = "short"  # a few characters
    LONG = "long"  # text of any length
    LINES = "lines"  # several lines of text, each a separate answer
    DATE = "date"  # a day, a month or a year, in three fields
    ONE_OF = "one_of"  # one of a few choices
    FROM_LIST = "from_list"  # one choice from a long list
    ANY_OF = "any_of"  # any number of choices
    OBSERVATIONS = "observations"  # any number of items of an edition, each with a note


@dataclass(frozen=True)
class Choice:
    """One choice of a question."""

    value: str
    label: str
    note: str = ""
    opens: str = ""
    """The numbers of the groups of follow-up questions that it opens, with a space between them."""


@dataclass(frozen=True)
class Question:
    """One question. Its name is the path of its answer, for example `children.0.given_names`."""

    name: str
    kind: QuestionKind
    label: str
    hint: str
    choices: tuple[Choice, ...] = ()
    is_required: bool = False
    if_missing: str = ""
    """What to do where it is required and has no answer."""
    is_number: bool = False
    part: str = ""
    """The title of the optional part in which it is folded away, or an empty string."""
    input_type: str = "text"
    autocomplete: str = ""
    """What a browser may fill in (WCAG 2.2, 1.3.5). It is set for the reporter's own details alone."""
    follow_up_groups: tuple[tuple["Question", ...], ...] = ()
    """The questions that depend on its answer. All of one group are opened by the same choices."""

    @property
    def follow_ups(self) -> tuple["Question", ...]:
        """The questions that depend on its answer."""
        return tuple(each for group in self.follow_up_groups for each in group)

    def with_follow_ups(self) -> Iterator["Question"]:
        """Yield the question, then its follow-up questions."""
        yield self
        for each in self.follow_ups:
            yield from each.with_follow_ups()


@dataclass(frozen=True)
class FormEntry:
    """One entry of a repeatable group: a child, an address, a vehicle."""

    name: str
    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class RepeatableGroup:
    """A group of questions that can be answered several times."""

    name: str
    title: str
    entry_name: str
    """The name of one entry, as in `Add another child`."""
    hint: str
    entries: tuple[FormEntry, ...]
    min_entries: int
    max_entries: int


FormElement = Question | RepeatableGroup


@dataclass(frozen=True)
class FormSection:
    """A section of the form. The layout names the fields; the builder adds the elements."""

    id: str
    title: str
    paths: tuple[str, ...]
    """The paths of its fields. A path that ends in a star means every field whose path begins so."""
    step: str = "more"
    """The step of the form in which it is."""
    hint: str = ""
    warns_of_pictures: bool = False
    """Whether it asks for something that pictures could show. It then says first that none may be sent."""
    elements: tuple[FormElement, ...] = ()

    @property
    def is_collapsed(self) -> bool:
        """Whether it is folded away until the reader opens it."""
        return self.step == "more"

    @property
    def questions(self) -> Iterator[Question]:
        """Every question of the section, with those of entries and follow-up questions."""
        for element in self.elements:
            for each in element.entries if isinstance(element, RepeatableGroup) else (element,):
                for question in each.questions if isinstance(each, FormEntry) else (each,):
                    yield from question.with_follow_ups()


ConcernForm = tuple[FormSection, ...]
OMITTED_FIELDS = {
    "test": "for developers alone",
    "guide": "the address of the form names the guide",
    "edition": "the form sends the edition that it shows",
    "reporter.source_code": "a code that systems have and people do not know",
    "*.uprn": "a number that systems have and people do not know",
    "children.identifiers": "the same",
    "concern.indicators.*": "each item has a tick box and a note; dates can be written in the note",
    "concern.factors.*": "the same",
    "concern.linked_risks.*": "the same",
}
"""The fields that are not in the form, with the reason."""
LAST_STEP = "Anything else"
"""The title of the step whose sections are folded away."""
GUIDE_ITEMS = "guide-items"
FORM_SECTIONS = (
    FormSection("danger", "Danger now", ("immediate_danger",), step="danger"),
    FormSection(
        "worry",
        "What worries you",
        ("concern.narrative", "informed_and_basis.childs_own_words"),
        step="worry",
        warns_of_pictures=True,
    ),
    FormSection("children", "The child", ("children",), step="children"),
    FormSection("you", "About you", ("reporter.*",), step="you"),
    FormSection(
        GUIDE_ITEMS,
        "Signs you have noticed",
        ("concern.indicators", "concern.factors", "concern.linked_risks"),
        hint="You do not need to find any of these. We do not count them. A concern with no ticks matters as much as "
        "one with many.",
    ),
    FormSection(
        "known",
        "How you know, and when it happened",
        ("concern.how_known*", "concern.source_wishes_to_stay_anonymous", "concern.latest_event*"),
    ),
    FormSection(
        "calls", "Calls to the police or to us", ("police_informed", "police_reference", "already_telephoned.*")
    ),
    FormSection("missing", "Missing from home or school", ("concern.missing_now", "concern.missing_episodes")),
    FormSection("online", "Online and messages", ("concern.online.*",), warns_of_pictures=True),
    FormSection(
        "of-concern",
        "People, cars and places that worry you",
        ("concern.people_of_concern", "concern.vehicles_of_concern", "concern.places_of_concern"),
    ),
    FormSection(
        "strengths",
        "What is going well, and what should happen",
        ("concern.going_well", "concern.hoped_for", "informed_and_basis.childs_wishes"),
    ),
    FormSection("parents", "Parents and carers", ("parents_and_carers",)),
    FormSection("others", "Other people in the child’s life", ("others",)),
    FormSection(
        "informed",
        "Who knows that you are telling us",
        (
            "informed_and_basis.parents_informed",
            "informed_and_basis.reasons_parents_not_told",
            "informed_and_basis.parents_informed_described",
            "informed_and_basis.child_informed",
            "informed_and_basis.agreement_to_service",
            "informed_and_basis.agreement_described",
            "informed_and_basis.lawful_basis",
        ),
    ),
    FormSection("agencies", "Others who help the family", ("agencies",)),
    FormSection("workers", "Anything that could put a visitor at risk", ("risk_to_workers.*",)),
)
ENTRY_NAMES = {
    "children": "child",
    "parents_and_carers": "parent or carer",
    "others": "person",
    "concern.missing_episodes": "time",
    "concern.people_of_concern": "person",
    "concern.vehicles_of_concern": "vehicle",
    "concern.places_of_concern": "place",
    "agencies": "service",
}
"""The name of one entry of each repeatable group."""
FIRST_QUESTIONS = (
    "children.given_names",
    "children.family_name",
    "children.estimated_age",
    "children.school_or_setting",
)
"""The questions about a child that are shown at once. The others are folded away."""
MORE_ABOUT_CHILD = "More about this child"
PARTS = {
    "reporter.email": "More about you",
    "reporter.relationship_to_child": "More about you",
    "reporter.anonymous_to_family": "More about you",
    "reporter.role": "More about your work",
    "reporter.safeguarding_lead_consulted": "More about your work",
}
"""Other questions that are folded away, with the title of the part."""
YES = ("yes",)
GIVES_NAME = ("professional", "member_of_public", "family")
CAN_BE_REACHED = (*GIVES_NAME, "child")
WORKS_WITH_CHILDREN = ("professional",)
DEPENDS_ON = {
    "police_reference": ("police_informed", YES),
    "already_telephoned.when": ("already_telephoned.telephoned", YES),
    "already_telephoned.whom": ("already_telephoned.telephoned", YES),
    "concern.source_wishes_to_stay_anonymous": ("concern.how_known", ("told_by_someone_else",)),
    "reporter.name": ("reporter.kind", GIVES_NAME),
    "reporter.phone": ("reporter.kind", GIVES_NAME),
    "reporter.email": ("reporter.kind", GIVES_NAME),
    "reporter.relationship_to_child": ("reporter.kind", GIVES_NAME),
    "reporter.anonymous_to_family": ("reporter.kind", GIVES_NAME),
    "reporter.safe_times_to_contact": ("reporter.kind", CAN_BE_REACHED),
    "reporter.role": ("reporter.kind", WORKS_WITH_CHILDREN),
    "reporter.organisation": ("reporter.kind", WORKS_WITH_CHILDREN),
    "reporter.safeguarding_lead_consulted": ("reporter.kind", WORKS_WITH_CHILDREN),
    "reporter.safeguarding_lead_name": ("reporter.safeguarding_lead_consulted", YES),
    "children.expected_date_of_birth": ("children.unborn", YES),
    "concern.online.apps_and_accounts": ("concern.online.involved", YES),
    "concern.online.described": ("concern.online.involved", YES),
    "informed_and_basis.reasons_parents_not_told": ("informed_and_basis.parents_informed", ("no", "not_safe")),
    "informed_and_basis.agreement_described": ("informed_and_basis.agreement_to_service", ("yes", "no")),
    "risk_to_workers.described": ("risk_to_workers.known_risk", YES),
}
"""Each follow-up question, with the question and the answers on which it depends. Without CSS it is always shown."""
AUTOFILL = {
    "reporter.name": ("text", "name"),
    "reporter.phone": ("tel", "tel"),
    "reporter.email": ("email", "email"),
    "reporter.organisation": ("text", "organization"),
}
"""The reporter's own details, each with the type of its input and what the browser may fill in (WCAG 2.2, 1.3.5)."""


def part_of(path: str) -> str:
    """Return the title of the optional part in which a question is folded away, or an empty string."""
    if path.startswith("children.") and path not in FIRST_QUESTIONS and path not in DEPENDS_ON:
        return MORE_ABOUT_CHILD
    return PARTS.get(path, "")


DATE_HINT = "For example, 24 11 2026. A month or a year alone is enough."
FULL_DATE_HINT = "For example, 24 11 2012. Leave it empty if you do not know the full date."
TICK_ALL = "Tick all that apply."
ONE_A_LINE = "One on each line."
LABEL_OVERRIDES = {
    "police_informed": "Do the police know?",
    "police_reference": "Police reference number",
    "already_telephoned.telephoned": "Have you already called us or the police?",
    "already_telephoned.when": "When did you call?",
    "already_telephoned.whom": "Who did you speak to?",
    "informed_and_basis.childs_own_words": "What has the child said?",
    "informed_and_basis.parents_informed": "Do the parents or carers know that you are telling us?",
    "informed_and_basis.reasons_parents_not_told": "Why do they not know?",
    "informed_and_basis.parents_informed_described": "What they know, or why they do not",
    "informed_and_basis.child_informed": "Does the child know that you are telling us?",
    "informed_and_basis.agreement_to_service": "Has the family agreed to get help?",
    "reporter.phone": "Your phone number",
    "reporter.email": "Your email address",
    "reporter.anonymous_to_family": "Should we keep your name from the family?",
    "children.estimated_age": "Age",
    "children.school_or_setting": "School, nursery or college",
    "children.unborn": "Is this an unborn baby?",
    "children.expected_date_of_birth": "When is the baby due?",
    "children.disabilities": "Disability or health needs",
    "children.disability_described": "What this means day to day",
    "children.home_address.text": "Home address",
    "children.home_address.postcode": "Postcode of the home",
    "children.looked_after": "Is the child in care?",
    "concern.indicators": "Signs",
    "concern.factors": "Things that have happened to the child",
    "concern.linked_risks": "Other harms that may be linked",
    "parents_and_carers.phone": "Phone number",
    "others.phone": "Phone number",
    "agencies.phone": "Phone number",
    "agencies.worker": "Who works with the family there?",
    "agencies.knows_of_concern": "Do they know of your concern?",
    "concern.people_of_concern.phones_and_accounts": "Phone numbers and online accounts",
    "risk_to_workers.known_risk": "Could anything put a visitor at risk?",
}
"""Labels that replace those of the models."""
# One a line, they would fill two screens.
# fmt: off
WITHOUT_HINT = (
    "police_informed", "already_telephoned.telephoned", "already_telephoned.when", "already_telephoned.whom",
    "concern.how_known_described", "concern.source_wishes_to_stay_anonymous", "concern.latest_event_described",
    "concern.indicators", "concern.factors", "concern.linked_risks", "concern.online.involved",
    "concern.missing_episodes", "concern.missing_episodes.reported_to_police", "concern.places_of_concern",
    "informed_and_basis.childs_wishes", "informed_and_basis.parents_informed_described",
    "informed_and_basis.child_informed", "informed_and_basis.agreement_described", "reporter.kind", "reporter.name",
    "reporter.role", "reporter.organisation", "reporter.phone", "reporter.email", "reporter.anonymous_to_family",
    "reporter.relationship_to_child", "children.given_names", "children.family_name", "children.age_described",
    "children.unborn", "children.sex", "children.ethnicity", "children.ethnicity_described",
    "children.disability_described", "children.first_language", "children.home_address.text", "children.where_now",
    "children.school_or_setting", "children.gp", "children.health_visitor", "children.school_nurse",
    "children.looked_after", "children.child_protection_plan", "children.education_health_and_care_plan",
    "parents_and_carers.name", "parents_and_carers.primary_carer", "parents_and_carers.phone", "others.name",
    "others.lives_with_child", "others.phone", "agencies.name", "agencies.worker", "agencies.phone", "agencies.email",
    "agencies.knows_of_concern", "risk_to_workers.described",
)
# fmt: on
"""Questions whose label says it all, so that the models' help text is left out."""
HINT_OVERRIDES = dict.fromkeys(WITHOUT_HINT, "") | {
    "immediate_danger": "If so, call 999 now. You can send this form afterwards.",
    "concern.narrative": "What happened, when and where? Who saw it? One sentence is enough to start.",
    "concern.how_known": TICK_ALL,
    "concern.latest_event": DATE_HINT,
    "concern.missing_now": "If so, call the police as well. Call 999 if the child may be in danger.",
    "concern.missing_episodes.started": DATE_HINT,
    "concern.missing_episodes.ended": "A month or a year is enough. Leave it empty if the child is still missing.",
    "concern.people_of_concern.other_names": f"Nicknames, and names used online. {ONE_A_LINE}",
    "informed_and_basis.childs_own_words": "Use the child’s own words if you can. Leave it empty if the child has "
    "not said anything.",
    "informed_and_basis.parents_informed": "You do not need to tell them first.",
    "informed_and_basis.reasons_parents_not_told": TICK_ALL,
    "informed_and_basis.agreement_to_service": "We will read your concern whatever the answer.",
    "informed_and_basis.lawful_basis": "For organisations. Leave it empty if you are not sure.",
    "reporter.safe_times_to_contact": "Say when and how to reach you, and what would not be safe.",
    "reporter.safeguarding_lead_consulted": "You can tell us without asking them first.",
    "children": "Leave out anything that you do not know.",
    "children.date_of_birth": FULL_DATE_HINT,
    "children.estimated_age": "A guess is fine.",
    "children.expected_date_of_birth": FULL_DATE_HINT,
    "children.other_names": f"Nicknames, old names, names used online. {ONE_A_LINE}",
    "children.disabilities": TICK_ALL,
    "children.interpreter_needed": "Sign language counts too.",
    "parents_and_carers.date_of_birth": FULL_DATE_HINT,
    "parents_and_carers.parental_responsibility": "In law: the right to decide for the child.",
    "others": "For example a sister, or a dad who does not live with them.",
    "others.date_of_birth": FULL_DATE_HINT,
    "risk_to_workers.known_risk": "A dog, a weapon, an illness, or somebody who may be violent.",
}
"""Help texts that replace those of the models."""
CHOICE_OVERRIDES = {
    ("informed_and_basis.lawful_basis", "consent"): "Consent (you do not need it where a child is at risk)",
    ("children.sex", "U"): "Not known, or not born yet",
    ("children.disabilities", "NONE"): "No disability",
    ("children.disabilities", "MOB"): "Moving around",
    ("children.disabilities", "HAND"): "Using their hands",
    ("children.disabilities", "PC"): "Washing, dressing or eating",
    ("children.disabilities", "INC"): "Bladder or bowel control",
    ("children.disabilities", "COMM"): "Speaking and being understood",
    ("children.disabilities", "VIS"): "Sight",
    ("children.disabilities", "CON"): "Fits or blackouts",
    ("children.disabilities", "AUT"): "Autism",
    ("children.disabilities", "DDA"): "Another disability",
    ("informed_and_basis.reasons_parents_not_told", "risk_of_significant_harm"): "It could put a child in danger",
    (
        "informed_and_basis.reasons_parents_not_told",
        "risk_of_injury_to_another",
    ): "It could put somebody else in danger",
    ("informed_and_basis.reasons_parents_not_told", "obstructs_police_investigation"): "It could get in the way of the "
    "police",
    ("informed_and_basis.reasons_parents_not_told", "unjustified_delay"): "It would take too long",
}
"""Plain words for codes whose own labels are those of a census, by question and code."""
MISSING_ANSWERS = {
    "immediate_danger": "Select yes if a child is in immediate danger.",
    "concern.narrative": "Write what you are worried about. One sentence is enough.",
    "reporter.kind": "Select who you are.",
}
"""What to do about a required question that was left empty."""


@dataclass(frozen=True)
class FormVariant:
    """A form: the page that asks, its questions, and its words in place of those of the models."""

    template: str
    title: str
    sections: tuple[FormSection, ...]
    labels: Mapping[str, str] = field(default_factory=lambda: LABEL_OVERRIDES)
    hints: Mapping[str, str] = field(default_factory=lambda: HINT_OVERRIDES)
    choices: Mapping[tuple[str, str], str] = field(default_factory=lambda: CHOICE_OVERRIDES)
    missing: Mapping[str, str] = field(default_factory=lambda: MISSING_ANSWERS)
    fixed_answers: Mapping[str, Any] = field(default_factory=dict)
    """What it answers by itself."""
    can_be_saved: bool = True
    """Whether it may be saved and finished later."""

    @property
    def steps(self) -> dict[str, str]:
        """The title of each step, in order. A script shows one at a time; without scripts all are on one page."""
        return {each.step: LAST_STEP if each.is_collapsed else each.title for each in self.sections}


ABOUT_A_CHILD = FormVariant("concern_form.html", "Raise a concern", FORM_SECTIONS)
WITHOUT_A_GUIDE = FormVariant(
    "concern_form.html", "Raise a concern", tuple(each for each in FORM_SECTIONS if each.id != GUIDE_ITEMS)
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
    fixed_answers={"reporter": {"kind": ReporterKind.CHILD.value}, "children": [{}]},
    can_be_saved=False,
)
