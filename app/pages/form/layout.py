"""How the form is arranged: which part of a concern is asked in which section, and which questions hang on others.

What is asked, its words, its codes and its limits come from the models alone (`app.models.concerns.concern`).
"""

from dataclasses import dataclass

LEFT_OUT = {
    "guide": "the form is that guide's own",
    "edition": "the form shows one edition, and pins it",
    "reporter.source_code": "a code that systems have and people need not look for",
    "*.uprn": "a number that systems have and people need not look for",
    "children.identifiers": "likewise",
    "concern.indicators.*": "each item is ticked, with a note; its dates can be told in the note",
    "concern.factors.*": "likewise",
    "concern.linked_risks.*": "likewise",
}
"""What the form does not ask, and why."""


@dataclass(frozen=True)
class SectionLayout:
    """A section, and the places in a concern that it asks about. A place with a star stands for all beneath it."""

    id: str
    words: str
    places: tuple[str, ...]
    is_folded: bool = True
    hint: str = ""


FORM_SECTIONS = (
    SectionLayout(
        "danger",
        "Immediate danger",
        ("immediate_danger", "police_informed", "police_reference", "already_telephoned.*"),
        is_folded=False,
    ),
    SectionLayout(
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
        is_folded=False,
    ),
    SectionLayout("children", "The children", ("children",), is_folded=False),
    SectionLayout("you", "About you", ("reporter.*",), is_folded=False),
    SectionLayout(
        "guide-items",
        "What the guide names",
        ("concern.indicators", "concern.factors", "concern.linked_risks"),
        hint="There is no need to find any of these. They are not counted, and a concern with none takes the same "
        "route as one with many. What you leave unticked means ‘not said’, never ‘no’.",
    ),
    SectionLayout(
        "missing", "Missing, or away without explanation", ("concern.missing_now", "concern.missing_episodes")
    ),
    SectionLayout("online", "Online", ("concern.online.*",)),
    SectionLayout(
        "of-concern",
        "People, vehicles and places of concern",
        ("concern.people_of_concern", "concern.vehicles_of_concern", "concern.places_of_concern"),
    ),
    SectionLayout(
        "strengths", "What is going well, and what you hope for", ("concern.going_well", "concern.hoped_for")
    ),
    SectionLayout("parents", "Parents and carers", ("parents_and_carers",)),
    SectionLayout("others", "Household and others", ("others",)),
    SectionLayout("informed", "Who has been told, and the basis for sharing", ("informed_and_basis.*",)),
    SectionLayout("agencies", "Agencies already involved", ("agencies",)),
    SectionLayout("workers", "Risk to workers", ("risk_to_workers.*",)),
)

ONE = {
    "children": "child",
    "parents_and_carers": "parent or carer",
    "others": "person",
    "concern.missing_episodes": "time",
    "concern.people_of_concern": "person",
    "concern.vehicles_of_concern": "vehicle",
    "concern.places_of_concern": "place",
    "agencies": "agency",
}
"""What one entry of several is called."""

YES = ("yes",)

HANGS_ON = {
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
"""Each question that hangs on another, with the answers that bring it up. Without style it is always there."""

A_DATE = "For example, 24 11 2026. A month or a year alone is enough."
A_WHOLE_DATE = "For example, 24 11 2012. Leave it empty if you do not know it all."

OTHER_WORDS = {"children.home_address.text": "Home address", "children.home_address.postcode": "Postcode of the home"}
"""Labels that need other words than the models', because they stand apart from the group that they belong to."""

OTHER_HINTS = {
    "concern.latest_event": A_DATE,
    "concern.missing_episodes": "Each time that you know of.",
    "concern.missing_episodes.started": A_DATE,
    "concern.missing_episodes.ended": "A month or a year is enough. Leave it empty if the child has not returned.",
    "children": "Every child you are worried about. If you know nothing of a child, leave the questions empty.",
    "children.date_of_birth": A_WHOLE_DATE,
    "children.expected_date_of_birth": A_WHOLE_DATE,
    "children.other_names": "Nicknames, former names, names used online. One on each line.",
    "children.sex": "",
    "children.ethnicity": "",
    "children.disabilities": "As many as apply.",
    "parents_and_carers.date_of_birth": A_WHOLE_DATE,
    "others.date_of_birth": A_WHOLE_DATE,
    "concern.people_of_concern.other_names": "Nicknames, and names used online. One on each line.",
    "informed_and_basis.parents_informed": "",
    "informed_and_basis.reasons_parents_not_told": "As many as apply.",
    "informed_and_basis.lawful_basis": "For organisations. Leave it empty if you are not sure.",
}
"""Help texts of the models that speak of codes, lists and dates as programs write them, in words for people."""
