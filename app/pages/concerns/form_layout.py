"""The layout of the form for a concern: elements, steps, sections, wording and variants."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Any

from markupsafe import Markup

from app.models.concerns.concern import ImmediateDanger, ReporterKind

OMITTED_FIELDS = {
    "test": "for developers only",
    "guide": "the address of the form names the guide",
    "edition": "the form sends the edition that it shows",
    "reporter.source_code": "a code that systems have and people do not know",
    "*.uprn": "a number that systems have and people do not know",
    "children.identifiers": "numbers that systems have and people do not know",
    "concern.indicators.*": "each item has a tick box and a note; dates can be written in the note",
    "concern.factors.*": "each item has a tick box and a note; dates can be written in the note",
    "concern.linked_risks.*": "each item has a tick box and a note; dates can be written in the note",
}
LAST_STEP = "Anything else"
GUIDE_ITEMS = "guide-items"
WHAT_HAPPENED, WHO_AND_WHERE = "More about what happened", "People, places and things"
FAMILY, WHO_KNOWS = "The family, and who helps them", "Who knows, and calls and visits"
ENTRY_NAMES = {
    "children": "child",
    "parents_and_carers": "parent or carer",
    "others": "person",
    "concern.missing_episodes": "time",
    "concern.people_of_concern": "person",
    "concern.vehicles_of_concern": "vehicle",
    "concern.places_of_concern": "place",
    "concern.things_that_exist": "thing",
    "agencies": "service",
}
PARTS_OF_A_CHILD = {
    "Other names, age and sex": ("other_names", "date_of_birth", "age_described", "unborn", "sex"),
    "Language and needs": (
        *("ethnicity", "ethnicity_described", "disabilities", "disability_described"),
        *("first_language", "interpreter_needed", "communication_needs"),
    ),
    "Where the child is": ("home_council", "home_address.text", "home_address.postcode", "where_now"),
    "School, health and care": (
        *("attendance", "gp", "health_visitor", "school_nurse", "looked_after"),
        *("child_protection_plan", "education_health_and_care_plan", "allocated_social_worker"),
    ),
}
"""Title of each collapsible part of a child, with its questions."""
MORE_ABOUT_YOU, MORE_ABOUT_WORK = "More about you", "More about your work"
YES = ("yes",)
GIVES_NAME = ("reporter.kind", ("professional", "member_of_public", "family"))
UNDER_18 = (ReporterKind.CHILD, ReporterKind.FRIEND)
CAN_BE_REACHED = ("reporter.kind", (*GIVES_NAME[1], *UNDER_18))
DANGER = "immediate_danger"
WORKS_WITH_CHILDREN = ("reporter.kind", ("professional",))
OF_DUTY = "reporter.duty_to_report."
DUTY_TO_REPORT = f"{OF_DUTY}made_under_duty"
"""Asked from the day in the setting `duty_to_report_from`."""
DATE_HINT = "For example, 24 11 2026. You can give just a month or a year."
FULL_DATE_HINT = "For example, 24 11 2012. Leave this blank if you do not know the full date."
TICK_ALL = "Tick all that apply."
ONE_A_LINE = "One on each line."
# Otherwise the formatter would put each name on its own line, and the tuple would fill two screens.
# fmt: off
WITHOUT_HINT = (
    "children.given_names", "children.family_name", "children.age_described", "children.ethnicity",
    "children.ethnicity_described", "children.first_language", "children.gp",
    "children.health_visitor", "children.school_nurse", "children.child_protection_plan",
    "children.education_health_and_care_plan", "parents_and_carers.name", "parents_and_carers.primary_carer",
    "others.name", "others.lives_with_child", "informed_and_basis.childs_wishes", "concern.how_known_described",
    "concern.latest_event_described", "concern.online.involved", "concern.missing_episodes",
    "concern.missing_episodes.reported_to_police", "concern.vehicles_of_concern", "concern.places_of_concern",
    "parents_and_carers", "agencies.name", "agencies.email",
)
# fmt: on
ACCOUNT_OF_THE_FIRST = "children.0.account"
"""Asked only if there are several children. For one child, the narrative is enough."""
SHARED_BY_CHILDREN = ("home_council", "home_address", "school_or_setting")
"""Answers that a button copies from the first child."""


class QuestionKind(StrEnum):
    LINE = "line"  # a line of text
    SHORT = "short"  # a few characters
    LONG = "long"  # text of any length
    LINES = "lines"  # several lines of text, each a separate answer
    DATE = "date"  # a day, a month or a year, in three fields
    ONE_OF = "one_of"  # one of a few choices
    FROM_LIST = "from_list"  # one choice from a long list
    ANY_OF = "any_of"  # any number of choices
    TICK = "tick"  # one checkbox: the answer is yes, or there is no answer
    OBSERVATIONS = "observations"  # any number of items of an edition, each with a note


@dataclass(frozen=True)
class Choice:
    """A choice. `value` is posted; `note` is a help text."""

    value: str
    label: str
    note: str = ""
    opens: str = ""
    """Numbers of the groups of follow-ups, separated by spaces."""


@dataclass(frozen=True)
class Question:
    """A question. `name` is like `children.0.given_names`."""

    name: str
    kind: QuestionKind
    label: str
    hint: str
    choices: tuple[Choice, ...] = ()
    is_required: bool = False
    if_missing: str = ""
    is_number: bool = False
    maximum: int = 0
    """0 if the answer is not a number."""
    if_no_number: str = ""
    if_too_large: str = ""
    """Message for too large a number. `if_no_number` is the message for other text."""
    max_letters: int = 0
    """0 if the answer is not text."""
    part: str = ""
    """Title of the optional part that contains the question."""
    input_type: str = "text"
    autocomplete: str = ""
    """Only for the reporter's own details (WCAG 2.2, 1.3.5)."""
    calls_for_help: bool = False
    """True if an answer can say that a child is in danger: help is then shown before further questions."""
    follow_up_groups: tuple[tuple["Question", ...], ...] = ()
    """Groups of follow-ups. The questions of one group are opened by the same choices."""

    @property
    def follow_ups(self) -> tuple["Question", ...]:
        return tuple(each for group in self.follow_up_groups for each in group)

    def with_follow_ups(self) -> Iterator["Question"]:
        """Yield this question, and its follow-ups at every depth, each after the question that reveals it."""
        yield self
        for each in self.follow_ups:
            yield from each.with_follow_ups()


@dataclass(frozen=True)
class FormEntry:
    name: str
    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class RepeatableGroup:
    name: str
    title: str
    entry_name: str
    """Name used in buttons such as `Add another child`."""
    hint: str
    entries: tuple[FormEntry, ...]
    min_entries: int
    max_entries: int


FormElement = Question | RepeatableGroup


@dataclass(frozen=True)
class FormSection:
    """A section of a form. `FormBuilder` fills `elements` from the fields at `paths`."""

    id: str
    title: str
    paths: tuple[str, ...]
    """A star at the end matches every path with that beginning."""
    step: str = "more"
    group: str = ""
    """Heading under which the last step lists the section."""
    hint: str = ""
    warns_of_pictures: bool = False
    """The section first says that pictures cannot be sent."""
    elements: tuple[FormElement, ...] = ()

    @property
    def is_collapsed(self) -> bool:
        return self.step == "more"

    @property
    def questions(self) -> Iterator[Question]:
        """Yield all questions, including those of entries and follow-ups."""
        for element in self.elements:
            for each in element.entries if isinstance(element, RepeatableGroup) else (element,):
                for question in each.questions if isinstance(each, FormEntry) else (each,):
                    yield from question.with_follow_ups()


ConcernForm = tuple[FormSection, ...]


def groups_of_step(form: ConcernForm, step: str) -> list[tuple[str, list[FormSection]]]:
    sections = (each for each in form if each.step == step)
    return [(group, list(found)) for group, found in groupby(sections, key=attrgetter("group"))]


FORM_SECTIONS = (
    FormSection("danger", "Danger now", ("immediate_danger",), step="danger"),
    FormSection(
        "worry",
        "What worries you",
        ("concern.narrative", "informed_and_basis.childs_own_words", "concern.about_council_staff"),
        step="worry",
        warns_of_pictures=True,
    ),
    FormSection("children", "The child", ("children",), step="children"),
    FormSection("you", "About you", ("reporter.*",), step="you"),
    FormSection(
        GUIDE_ITEMS,
        "Signs you have noticed",
        ("concern.indicators", "concern.factors", "concern.linked_risks"),
        group=WHAT_HAPPENED,
        hint="You do not need to find any of these. We do not count them. A concern with no ticks matters as much as "
        "one with many.",
    ),
    FormSection(
        "known",
        "How you know, and when it happened",
        ("concern.how_known*", "concern.source_wishes_to_stay_anonymous", "concern.latest_event*"),
        group=WHAT_HAPPENED,
    ),
    FormSection(
        "missing",
        "Missing from home or school",
        ("concern.missing_now", "concern.missing_episodes"),
        group=WHAT_HAPPENED,
    ),
    FormSection("online", "Online and messages", ("concern.online.*",), group=WHAT_HAPPENED, warns_of_pictures=True),
    FormSection(
        "of-concern",
        "People, cars and places that worry you",
        ("concern.people_of_concern", "concern.vehicles_of_concern", "concern.places_of_concern"),
        group=WHO_AND_WHERE,
    ),
    FormSection(
        "things",
        "Messages, pictures and other things that exist",
        ("concern.things_that_exist",),
        group=WHO_AND_WHERE,
        hint="You cannot send them here. Tell us what there is and where, so that the police can find it.",
        warns_of_pictures=True,
    ),
    FormSection("parents", "Parents and carers", ("parents_and_carers",), group=FAMILY),
    FormSection("others", "Other people in the child’s life", ("others",), group=FAMILY),
    FormSection("agencies", "Others who help the family", ("agencies",), group=FAMILY),
    FormSection(
        "strengths",
        "What is going well, and what you hope for",
        ("concern.going_well", "concern.hoped_for", "informed_and_basis.childs_wishes"),
        group=FAMILY,
    ),
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
        group=WHO_KNOWS,
    ),
    FormSection(
        "calls",
        "Calls to the police or to us",
        ("police_informed", "police_reference", "already_telephoned.*"),
        group=WHO_KNOWS,
    ),
    FormSection("workers", "Anything that could put a visitor at risk", ("risk_to_workers.*",), group=WHO_KNOWS),
)


@dataclass(frozen=True)
class Wording:
    """Wording that replaces a model's title and description. None replaces nothing."""

    label: str | None = None
    hint: str | None = None
    """Empty if the label needs no hint."""
    after: tuple[str, tuple[str, ...]] = ("", ())
    """Path of another question, and the answers to it that reveal this one. Without CSS this one is always shown."""
    part: str = ""
    autofill: tuple[str, str] = ("text", "")
    """`type` and `autocomplete` (WCAG 2.2, 1.3.5), the latter for the reporter's own details."""
    missing: str = ""
    is_tick: bool = False
    """One checkbox for yes. No tick means no answer."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """Plain label of each code. The code lists' own labels often come from a census."""


def voice_of(kind: str) -> str:
    return kind if kind in UNDER_18 else ""


AS_IN_MODELS = Wording()

QUESTIONS = dict.fromkeys(WITHOUT_HINT, Wording(hint="")) | {
    "immediate_danger": Wording(
        hint="If so, call 999 now.",
        missing="Choose yes, no or not sure.",
    ),
    "police_informed": Wording("Do the police know?", ""),
    "police_reference": Wording("Police reference number", after=("police_informed", YES)),
    "already_telephoned.telephoned": Wording("Have you already called us or the police?", ""),
    "already_telephoned.when": Wording("When did you call?", "", after=("already_telephoned.telephoned", YES)),
    "already_telephoned.whom": Wording("Who did you speak to?", "", after=("already_telephoned.telephoned", YES)),
    "reporter.kind": Wording(hint="", missing="Select who you are."),
    "reporter.name": Wording(hint="", after=GIVES_NAME, autofill=("text", "name")),
    "reporter.role": Wording(hint="", after=WORKS_WITH_CHILDREN, autofill=("text", "organization-title")),
    "reporter.organisation": Wording(hint="", after=WORKS_WITH_CHILDREN, autofill=("text", "organization")),
    "reporter.phone": Wording("Your phone number", "", after=GIVES_NAME, autofill=("tel", "tel")),
    "reporter.email": Wording("Your email address", "", after=GIVES_NAME, autofill=("email", "email")),
    "reporter.safe_times_to_contact": Wording(
        hint="Tell us about anything that would not be safe.", after=CAN_BE_REACHED
    ),
    "reporter.relationship_to_child": Wording(hint="", after=GIVES_NAME, part=MORE_ABOUT_YOU),
    "reporter.anonymous_to_family": Wording(
        "Should we keep your name from the family?", "", after=GIVES_NAME, part=MORE_ABOUT_YOU
    ),
    "reporter.safeguarding_lead_consulted": Wording(
        hint="You can tell us without asking them first.",
        after=WORKS_WITH_CHILDREN,
        part=MORE_ABOUT_WORK,
    ),
    "reporter.safeguarding_lead_name": Wording(after=("reporter.safeguarding_lead_consulted", YES)),
    DUTY_TO_REPORT: Wording("Are you telling us because the law says you must?", "", after=WORKS_WITH_CHILDREN),
    f"{OF_DUTY}reason_for_delay": Wording(
        "If you waited before you told us, why?", "You can leave this blank.", after=(DUTY_TO_REPORT, YES)
    ),
    "reporter.language": Wording(
        "What language do you speak best?",
        "Sign language counts too. You can write this form in any language.",
        after=GIVES_NAME,
        part=MORE_ABOUT_YOU,
    ),
    "reporter.interpreter_needed": Wording(hint="", after=GIVES_NAME, part=MORE_ABOUT_YOU),
    "children": Wording(hint="Skip anything you do not know."),
    "children.other_names": Wording(hint=f"Nicknames, old names, names used online. {ONE_A_LINE}"),
    "children.date_of_birth": Wording(hint=FULL_DATE_HINT),
    "children.estimated_age": Wording("Age", "A guess is fine."),
    "children.unborn": Wording("Is this an unborn baby?", ""),
    "children.expected_date_of_birth": Wording("When is the baby due?", FULL_DATE_HINT, after=("children.unborn", YES)),
    "children.sex": Wording(hint="", choices={"U": "Not known, or not born yet"}),
    "children.disabilities": Wording(
        "Disability or health needs",
        TICK_ALL,
        choices={
            "NONE": "No disability",
            "MOB": "Moving around",
            "HAND": "Using their hands",
            "PC": "Washing, dressing or eating",
            "INC": "Bladder or bowel control",
            "COMM": "Speaking and being understood",
            "VIS": "Sight",
            "CON": "Fits or blackouts",
            "AUT": "Autism",
            "DDA": "Another disability",
        },
    ),
    "children.disability_described": Wording("What this means day to day", ""),
    "children.interpreter_needed": Wording(hint="Sign language counts too."),
    "children.home_council": Wording(
        hint="We can tell you who to call there. You can send this here too: we pass it on."
    ),
    "children.home_address.text": Wording("Home address", ""),
    "children.home_address.postcode": Wording("Postcode of the home"),
    "children.where_now": Wording(hint=""),
    "children.school_or_setting": Wording("School, nursery or college", ""),
    "children.looked_after": Wording("Is the child in care?", ""),
    "children.account": Wording(hint="Only if it is not the same for all of them. You can leave this blank."),
    "parents_and_carers.date_of_birth": Wording(hint=FULL_DATE_HINT),
    "parents_and_carers.parental_responsibility": Wording(
        hint="This means the legal right to make decisions for the child."
    ),
    "parents_and_carers.phone": Wording("Phone number", ""),
    "others": Wording(hint="For example a sister, or a dad who lives elsewhere."),
    "others.date_of_birth": Wording(hint=FULL_DATE_HINT),
    "others.phone": Wording("Phone number", ""),
    "informed_and_basis.parents_informed": Wording(
        "Do the parents or carers know that you are telling us?", "You do not need to tell them first."
    ),
    "informed_and_basis.reasons_parents_not_told": Wording(
        "Why do they not know?",
        TICK_ALL,
        after=("informed_and_basis.parents_informed", ("no", "not_safe")),
        choices={
            "risk_of_significant_harm": "It could put a child in danger",
            "risk_of_injury_to_another": "It could put someone else in danger",
            "obstructs_police_investigation": "It could get in the way of the police",
            "unjustified_delay": "It would take too long",
        },
    ),
    "informed_and_basis.parents_informed_described": Wording("More about what they know, or why they do not know", ""),
    "informed_and_basis.child_informed": Wording("Does the child know that you are telling us?", ""),
    "informed_and_basis.childs_own_words": Wording(
        "What has the child said?",
        "Use the child’s own words if you can. Leave this blank if the child has not said anything.",
    ),
    "informed_and_basis.agreement_to_service": Wording(
        "Has the family agreed to get help?", "We will read your concern whatever the answer."
    ),
    "informed_and_basis.agreement_described": Wording(
        hint="", after=("informed_and_basis.agreement_to_service", ("yes", "no"))
    ),
    "informed_and_basis.lawful_basis": Wording(
        hint="For organisations. Leave this blank if you are not sure.",
        choices={"consent": "Consent (you do not need it if a child is at risk)"},
    ),
    "concern.narrative": Wording(
        hint="What happened, when and where? Who saw it? One sentence is enough to start.",
        missing="Write what you are worried about. One sentence is enough.",
    ),
    "concern.about_council_staff": Wording(
        "It is about someone who works for this council", "A senior manager reads it first.", is_tick=True
    ),
    "concern.how_known": Wording(hint=TICK_ALL),
    "concern.source_wishes_to_stay_anonymous": Wording(hint="", after=("concern.how_known", ("told_by_someone_else",))),
    "concern.latest_event": Wording(hint=DATE_HINT),
    "concern.indicators": Wording("Signs", ""),
    "concern.factors": Wording("Things that have happened to the child", ""),
    "concern.linked_risks": Wording("Other harms that may be linked", ""),
    "concern.online.apps_and_accounts": Wording(after=("concern.online.involved", YES)),
    "concern.online.described": Wording(after=("concern.online.involved", YES)),
    "concern.missing_now": Wording(hint="If so, call the police too. Call 999 if the child may be in danger."),
    "concern.missing_episodes.started": Wording(hint=DATE_HINT),
    "concern.missing_episodes.ended": Wording(
        hint="A month or a year is enough. Leave this blank if the child is still missing."
    ),
    "concern.people_of_concern.other_names": Wording(hint=f"Nicknames, and names used online. {ONE_A_LINE}"),
    "concern.people_of_concern.phones_and_accounts": Wording("Phone numbers and online accounts"),
    "concern.people_of_concern.works_with_children": Wording(
        "Do they work or volunteer with children?", "For example in a school, a club or a care home."
    ),
    "concern.things_that_exist": Wording(hint=""),
    "concern.things_that_exist.kind": Wording(hint=""),
    "concern.things_that_exist.place": Wording("Where is it?", "For example: which phone, computer, app or account."),
    "concern.things_that_exist.held_by": Wording(hint=""),
    "concern.things_that_exist.police_may_fetch": Wording("Can the police collect it?", ""),
    "concern.things_that_exist.described": Wording("What does it show?", "Tell us in words."),
    "agencies": Wording(hint="For example a school or a doctor."),
    "agencies.worker": Wording("Who works with the family there?", ""),
    "agencies.phone": Wording("Phone number", ""),
    "agencies.knows_of_concern": Wording("Do they know about your concern?", ""),
    "risk_to_workers.known_risk": Wording(
        "Could anything put a visitor at risk?", "A dog, a weapon, an illness, or someone who may be violent."
    ),
    "risk_to_workers.described": Wording(hint="", after=("risk_to_workers.known_risk", YES)),
}


def labelled(label: str, message: str) -> Markup:
    """Join a label and text with a colon and lower case. After a question mark the text keeps a capital letter.

    `Markup` stays markup.
    """
    is_sentence = label.endswith("?")
    first = message[:1].upper() if is_sentence else message[:1].lower()
    return Markup("{}{}{}").format(label, " " if is_sentence else ": ", first + message[1:])


def part_of(path: str, wording: Wording) -> str:
    name = path.removeprefix("children.")
    return next((part for part, names in PARTS_OF_A_CHILD.items() if path != name and name in names), wording.part)


@dataclass(frozen=True)
class AskedFirst:
    """A question about a group's first entry, asked as a checkbox in an earlier section, and not in the group."""

    section: str
    group: str
    field: str
    """Name of the field inside an entry."""
    label: str
    hint: str = ""

    @property
    def path(self) -> str:
        return f"{self.group}.{self.field}"


@dataclass(frozen=True)
class FormVariant:
    """A form for one kind of reporter. `questions` is the wording by path."""

    template: str
    title: str
    sections: tuple[FormSection, ...]
    questions: Mapping[str, Wording]
    fixed_answers: Mapping[str, Any] = field(default_factory=dict)
    asked_first: tuple[AskedFirst, ...] = ()
    can_be_saved: bool = True
    is_short: bool = False
    """True if the form is one page, without a page for checking."""

    @property
    def steps(self) -> dict[str, str]:
        """Return the steps in order. JavaScript shows one at a time; without it, one page shows all."""
        return {each.step: LAST_STEP if each.is_collapsed else each.title for each in self.sections}


LANGUAGE_OF_THE_YOUNG = Wording(
    "What language do you speak best?", "You can write to us in any language. Sign language counts too."
)

ABOUT_A_WORKER = AskedFirst(
    "worry",
    "concern.people_of_concern",
    "works_with_children",
    "It is about someone who works or volunteers with children",
    "For example a teacher or a coach.",
)

ABOUT_A_CHILD = FormVariant(
    "concern_form.html", "Tell us about a child", FORM_SECTIONS, QUESTIONS, asked_first=(ABOUT_A_WORKER,)
)

WITHOUT_A_GUIDE = replace(
    ABOUT_A_CHILD, sections=tuple(each for each in ABOUT_A_CHILD.sections if each.id != GUIDE_ITEMS)
)

ABOUT_YOURSELF = FormVariant(
    "own_concern_form.html",
    "Tell us what has happened to you",
    sections=(
        FormSection("danger", "Your safety", ("immediate_danger",), step="danger"),
        FormSection("worry", "In your own words", ("concern.narrative",), step="worry", warns_of_pictures=True),
        FormSection(
            "you",
            "How we can help",
            ("reporter.safe_times_to_contact", "informed_and_basis.childs_wishes", "reporter.language"),
            step="you",
        ),
    ),
    questions={
        "immediate_danger": Wording(
            "Are you safe now?",
            "If you are not safe, call 999 now.",
            missing="Select whether you are safe now.",
            choices={
                ImmediateDanger.YES: "No, I am in danger now",
                ImmediateDanger.NO: "Yes, I am safe now",
                ImmediateDanger.NOT_SURE: "I am not sure",
            },
        ),
        "concern.narrative": Wording(
            "What has happened?",
            "Use your own words. You do not need to tell us all of it.",
            missing="Write what has happened. One sentence is enough.",
        ),
        "reporter.safe_times_to_contact": Wording(
            "How can we reach you safely?",
            "Tell us your name if you want to, and a place, time or number that is safe for you. "
            "It can be your school.",
        ),
        "reporter.language": LANGUAGE_OF_THE_YOUNG,
        "informed_and_basis.childs_wishes": Wording(
            "Is there anything that we must not do?", "For example: do not ring my home."
        ),
    },
    fixed_answers={"reporter": {"kind": ReporterKind.CHILD.value}, "children": [{}]},
    can_be_saved=False,
)

ABOUT_A_FRIEND = FormVariant(
    "own_concern_form.html",
    "Tell us about your friend",
    sections=(
        FormSection("danger", "Your friend’s safety", ("immediate_danger",), step="danger"),
        FormSection("worry", "In your own words", ("concern.narrative",), step="worry", warns_of_pictures=True),
        FormSection(
            "you",
            "How we can help",
            (
                "informed_and_basis.child_informed",
                "reporter.safe_times_to_contact",
                "informed_and_basis.childs_wishes",
                "reporter.language",
            ),
            step="you",
        ),
    ),
    questions={
        "immediate_danger": Wording(
            "Is your friend safe now?",
            "If your friend is not safe, call 999 now.",
            missing="Select whether your friend is safe now.",
            choices={
                ImmediateDanger.YES: "No, my friend is in danger now",
                ImmediateDanger.NO: "Yes, my friend is safe now",
                ImmediateDanger.NOT_SURE: "I am not sure",
            },
        ),
        "concern.narrative": Wording(
            "What are you worried about?",
            "Use your own words. Your friend’s name, age or school helps us to find them.",
            missing="Write what you are worried about. One sentence is enough.",
        ),
        "informed_and_basis.child_informed": Wording("Does your friend know that you are telling us?", ""),
        "reporter.safe_times_to_contact": Wording(
            "How can we reach you safely?",
            "You can leave this out. A place, time or number that is safe for you. It can be your school.",
        ),
        "informed_and_basis.childs_wishes": Wording(
            "Is there anything that we must not do?", "For example: do not say who told you."
        ),
        "reporter.language": LANGUAGE_OF_THE_YOUNG,
    },
    fixed_answers={"reporter": {"kind": ReporterKind.FRIEND.value}, "children": [{}]},
    can_be_saved=False,
)

SHORT = FormVariant(
    "short_form.html",
    "Worried about a child?",
    sections=(
        FormSection("danger", "", (DANGER,), step="danger"),
        FormSection("worry", "", ("concern.narrative",), step="worry"),
        FormSection(
            "you",
            "",
            ("reporter.kind", "reporter.safe_times_to_contact", "reporter.interpreter_needed"),
            step="you",
        ),
    ),
    questions={
        DANGER: replace(QUESTIONS[DANGER], hint=""),
        "concern.narrative": Wording(
            hint="Who is the child, and where? One sentence is enough.",
            missing=QUESTIONS["concern.narrative"].missing,
        ),
        "reporter.kind": QUESTIONS["reporter.kind"],
        "reporter.safe_times_to_contact": Wording(
            "How can we reach you safely?",
            "Your name, your phone number, and when it is safe to call.",
        ),
        "reporter.interpreter_needed": Wording(hint=""),
    },
    can_be_saved=False,
    is_short=True,
)
"""Form for languages that have only short pages. `short_form_in` adds the language."""


def short_form_in(language: str) -> FormVariant:
    """Return the short form in a language, given by its English name.

    Every concern that it sends says that the reporter speaks it.
    """
    return replace(SHORT, fixed_answers={"reporter": {"language": language}, "children": [{}]})
