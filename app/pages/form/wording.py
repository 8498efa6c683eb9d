"""The words of the form where those of the models are written for programs: labels, hints, choices and errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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

HINT_OVERRIDES = {
    "immediate_danger": "If so, call 999 now. You can send this form afterwards.",
    "police_informed": "",
    "already_telephoned.telephoned": "",
    "already_telephoned.when": "",
    "already_telephoned.whom": "",
    "concern.narrative": "What happened, when and where? Who saw it? One sentence is enough to start.",
    "concern.how_known": TICK_ALL,
    "concern.how_known_described": "",
    "concern.source_wishes_to_stay_anonymous": "",
    "concern.latest_event": DATE_HINT,
    "concern.latest_event_described": "",
    "concern.indicators": "",
    "concern.factors": "",
    "concern.linked_risks": "",
    "concern.online.involved": "",
    "concern.missing_now": "If so, call the police as well. Call 999 if the child may be in danger.",
    "concern.missing_episodes": "",
    "concern.missing_episodes.started": DATE_HINT,
    "concern.missing_episodes.ended": "A month or a year is enough. Leave it empty if the child is still missing.",
    "concern.missing_episodes.reported_to_police": "",
    "concern.people_of_concern.other_names": f"Nicknames, and names used online. {ONE_A_LINE}",
    "concern.places_of_concern": "",
    "informed_and_basis.childs_own_words": "Use the child’s own words if you can. Leave it empty if the child has "
    "not said anything.",
    "informed_and_basis.childs_wishes": "",
    "informed_and_basis.parents_informed": "You do not need to tell them first.",
    "informed_and_basis.reasons_parents_not_told": TICK_ALL,
    "informed_and_basis.parents_informed_described": "",
    "informed_and_basis.child_informed": "",
    "informed_and_basis.agreement_to_service": "We will read your concern whatever the answer.",
    "informed_and_basis.agreement_described": "",
    "informed_and_basis.lawful_basis": "For organisations. Leave it empty if you are not sure.",
    "reporter.kind": "",
    "reporter.name": "",
    "reporter.role": "",
    "reporter.organisation": "",
    "reporter.phone": "",
    "reporter.email": "",
    "reporter.anonymous_to_family": "",
    "reporter.relationship_to_child": "",
    "reporter.safe_times_to_contact": "Say when and how to reach you, and what would not be safe.",
    "reporter.safeguarding_lead_consulted": "You can tell us without asking them first.",
    "children": "Leave out anything that you do not know.",
    "children.given_names": "",
    "children.family_name": "",
    "children.date_of_birth": FULL_DATE_HINT,
    "children.estimated_age": "A guess is fine.",
    "children.age_described": "",
    "children.unborn": "",
    "children.expected_date_of_birth": FULL_DATE_HINT,
    "children.other_names": f"Nicknames, old names, names used online. {ONE_A_LINE}",
    "children.sex": "",
    "children.ethnicity": "",
    "children.ethnicity_described": "",
    "children.disabilities": TICK_ALL,
    "children.disability_described": "",
    "children.first_language": "",
    "children.interpreter_needed": "Sign language counts too.",
    "children.home_address.text": "",
    "children.where_now": "",
    "children.school_or_setting": "",
    "children.gp": "",
    "children.health_visitor": "",
    "children.school_nurse": "",
    "children.looked_after": "",
    "children.child_protection_plan": "",
    "children.education_health_and_care_plan": "",
    "parents_and_carers.name": "",
    "parents_and_carers.date_of_birth": FULL_DATE_HINT,
    "parents_and_carers.parental_responsibility": "In law: the right to decide for the child.",
    "parents_and_carers.primary_carer": "",
    "parents_and_carers.phone": "",
    "others": "For example a sister, or a dad who does not live with them.",
    "others.name": "",
    "others.lives_with_child": "",
    "others.date_of_birth": FULL_DATE_HINT,
    "others.phone": "",
    "agencies.name": "",
    "agencies.worker": "",
    "agencies.phone": "",
    "agencies.email": "",
    "agencies.knows_of_concern": "",
    "risk_to_workers.known_risk": "A dog, a weapon, an illness, or somebody who may be violent.",
    "risk_to_workers.described": "",
}
"""Help texts that replace those of the models. An empty one stands where the label says it all."""

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
class Wording:
    """The words of one form: what replaces the words of the models."""

    labels: Mapping[str, str] = field(default_factory=lambda: LABEL_OVERRIDES)
    hints: Mapping[str, str] = field(default_factory=lambda: HINT_OVERRIDES)
    choices: Mapping[tuple[str, str], str] = field(default_factory=lambda: CHOICE_OVERRIDES)
    missing: Mapping[str, str] = field(default_factory=lambda: MISSING_ANSWERS)
