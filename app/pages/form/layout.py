"""The layout of the form: its steps, the section of each field of a concern, and the questions that depend on others.

The fields with their codes and limits come from the models (`app.models.concerns.concern`).
"""

from app.pages.form.elements import FormSection

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

STEPS = {
    "danger": "Danger now",
    "worry": "What worries you",
    "children": "The child",
    "you": "About you",
    "more": "Anything else",
}
"""The title of each step, in order. A script shows one at a time; without scripts all are on one page."""

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
        (
            "concern.how_known",
            "concern.how_known_described",
            "concern.source_wishes_to_stay_anonymous",
            "concern.latest_event",
            "concern.latest_event_described",
        ),
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
