"""The layout of the form: the section of each field of a concern, and the questions that depend on others.

The fields with their labels, codes and limits come from the models (`app.models.concerns.concern`).
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


FORM_SECTIONS = (
    FormSection(
        "danger",
        "Immediate danger",
        ("immediate_danger", "police_informed", "police_reference", "already_telephoned.*"),
        is_collapsed=False,
    ),
    FormSection(
        "worry",
        "Your concern",
        (
            "concern.narrative",
            "concern.how_known",
            "concern.how_known_described",
            "concern.source_wishes_to_stay_anonymous",
            "concern.latest_event",
            "concern.latest_event_described",
        ),
        is_collapsed=False,
    ),
    FormSection("children", "The children", ("children",), is_collapsed=False),
    FormSection("you", "About you", ("reporter.*",), is_collapsed=False),
    FormSection(
        "guide-items",
        "What the guide names",
        ("concern.indicators", "concern.factors", "concern.linked_risks"),
        hint="You do not need to find any of these. They are not counted, and a concern with none is treated like one "
        "with many. What you leave unticked means ‘not said’, never ‘no’.",
    ),
    FormSection("missing", "Missing, or away without explanation", ("concern.missing_now", "concern.missing_episodes")),
    FormSection("online", "Online", ("concern.online.*",)),
    FormSection(
        "of-concern",
        "People, vehicles and places of concern",
        ("concern.people_of_concern", "concern.vehicles_of_concern", "concern.places_of_concern"),
    ),
    FormSection("strengths", "What is going well, and what you hope for", ("concern.going_well", "concern.hoped_for")),
    FormSection("parents", "Parents and carers", ("parents_and_carers",)),
    FormSection("others", "Household and others", ("others",)),
    FormSection("informed", "Who has been informed, and the basis for sharing", ("informed_and_basis.*",)),
    FormSection("agencies", "Agencies already involved", ("agencies",)),
    FormSection("workers", "Risk to workers", ("risk_to_workers.*",)),
)

ENTRY_NAMES = {
    "children": "child",
    "parents_and_carers": "parent or carer",
    "others": "person",
    "concern.missing_episodes": "time",
    "concern.people_of_concern": "person",
    "concern.vehicles_of_concern": "vehicle",
    "concern.places_of_concern": "place",
    "agencies": "agency",
}
"""The name of one entry of each repeatable group."""

YES = ("yes",)

DEPENDS_ON = {
    "police_reference": ("police_informed", YES),
    "already_telephoned.when": ("already_telephoned.telephoned", YES),
    "already_telephoned.whom": ("already_telephoned.telephoned", YES),
    "concern.source_wishes_to_stay_anonymous": ("concern.how_known", ("told_by_someone_else",)),
    "reporter.role": ("reporter.kind", ("professional",)),
    "reporter.organisation": ("reporter.kind", ("professional",)),
    "reporter.safeguarding_lead_consulted": ("reporter.kind", ("professional",)),
    "reporter.safeguarding_lead_name": ("reporter.safeguarding_lead_consulted", YES),
    "children.expected_date_of_birth": ("children.unborn", YES),
    "concern.online.apps_and_accounts": ("concern.online.involved", YES),
    "concern.online.described": ("concern.online.involved", YES),
    "informed_and_basis.reasons_parents_not_told": ("informed_and_basis.parents_informed", ("no", "not_safe")),
    "informed_and_basis.agreement_described": ("informed_and_basis.agreement_to_service", ("yes", "no")),
    "risk_to_workers.described": ("risk_to_workers.known_risk", YES),
}
"""Each follow-up question, with the question and the answers on which it depends. Without CSS it is always shown."""

DATE_HINT = "For example, 24 11 2026. A month or a year alone is enough."
FULL_DATE_HINT = "For example, 24 11 2012. Leave it empty if you do not know the full date."

LABEL_OVERRIDES = {
    "children.home_address.text": "Home address",
    "children.home_address.postcode": "Postcode of the home",
}
"""Labels that replace those of the models, for fields that are shown apart from their group."""

HINT_OVERRIDES = {
    "concern.latest_event": DATE_HINT,
    "concern.missing_episodes": "Each time that you know about.",
    "concern.missing_episodes.started": DATE_HINT,
    "concern.missing_episodes.ended": "A month or a year is enough. Leave it empty if the child has not returned.",
    "children": "Every child you are worried about. If you know nothing about a child, leave the questions empty.",
    "children.date_of_birth": FULL_DATE_HINT,
    "children.expected_date_of_birth": FULL_DATE_HINT,
    "children.other_names": "Nicknames, former names, names used online. One on each line.",
    "children.sex": "",
    "children.ethnicity": "",
    "children.disabilities": "Tick all that apply.",
    "parents_and_carers.date_of_birth": FULL_DATE_HINT,
    "others.date_of_birth": FULL_DATE_HINT,
    "concern.people_of_concern.other_names": "Nicknames, and names used online. One on each line.",
    "informed_and_basis.parents_informed": "",
    "informed_and_basis.reasons_parents_not_told": "Tick all that apply.",
    "informed_and_basis.lawful_basis": "For organisations. Leave it empty if you are not sure.",
}
"""Help texts for people, where those of the models describe codes, lists and dates for programs."""
