"""Two concerns that show how little and how much may be sent. Every person, place and number in them is invented."""

import hashlib
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from app.models.base import ResponseModel, canonical_json
from app.models.code_lists import CodeList, Signpost
from app.models.concerns import FORM_VERSION, NO_QUESTION, Concern
from app.models.links import CONCERN_CHECK, CONCERN_FORM, CONCERNS, GUIDES, Links

SMALLEST_EXAMPLE: dict[str, Any] = {
    "immediate_danger": "not_sure",
    "reporter": {"kind": "member_of_public"},
    "children": [{}],
    "concern": {
        "narrative": "A child in the park asked a stranger for a place to sleep. I do not know the child’s name."
    },
}
"""Nothing but the four required parts."""

_CHILDREN: list[dict[str, Any]] = [
    {
        "given_names": "Alex",
        "family_name": "Example",
        "other_names": ["Lex"],
        "date_of_birth": "2012-03-04",
        "age_described": "In Year 10 at school",
        "unborn": "no",
        "sex": "F",
        "ethnicity": "MOTH",
        "ethnicity_described": "The family describes itself as of mixed background",
        "disabilities": ["HEAR", "COMM"],
        "disability_described": "Wears a hearing aid and misses words in noisy rooms",
        "first_language": "British Sign Language",
        "interpreter_needed": "yes",
        "communication_needs": "Prefers to write things down when upset",
        "identifiers": [{"scheme": "nhs-number", "value": "999 000 0000"}],
        "home_address": {"text": "1 Example Street, Exampleton", "postcode": "XX1 1XX", "uprn": "000000000000"},
        "where_now": "At school until 3.15 this afternoon",
        "school_or_setting": "Example Academy, Year 10",
        "attendance": "Away on most Fridays since September",
        "gp": "Dr Example, Example Surgery",
        "health_visitor": "None now",
        "school_nurse": "Kit Example, 01632 960011",
        "looked_after": "no",
        "child_protection_plan": "not_known",
        "education_health_and_care_plan": "yes",
        "allocated_social_worker": "Jo Example, Example Council, 01632 960012",
    },
    {"given_names": "Billie", "estimated_age": 9, "age_described": "Perhaps 9 or 10"},
    {"unborn": "yes", "expected_date_of_birth": "2027-02-01", "sex": "U"},
]

_PARENTS_AND_CARERS: list[dict[str, Any]] = [
    {
        "name": "Sam Example",
        "date_of_birth": "1984-05-06",
        "age_described": "In her forties",
        "relationship_to_child": "Mother of Alex and Billie; expects a child in February",
        "parental_responsibility": "yes",
        "primary_carer": "yes",
        "address": {"text": "1 Example Street, Exampleton"},
        "phone": "07700 900001",
        "communication_needs": "Prefers a call to a letter",
    }
]

_OTHERS: list[dict[str, Any]] = [
    {
        "name": "Charlie Example",
        "connection": "sibling",
        "relationship_to_child": "Older brother of Alex and Billie",
        "lives_with_child": "no",
        "date_of_birth": "2006-07-08",
        "age_described": "20",
        "address": {"text": "2 Example Street, Exampleton"},
        "phone": "07700 900002",
        "notes": "Visits every Sunday; Alex speaks well of him",
    }
]

_CONCERN: dict[str, Any] = {
    "narrative": (
        "Three times since September Alex has been collected from the school gate by an adult whom the family does not "
        "know, last on Friday 20 November 2026 at 3.20 pm. I saw it myself. Alex was away from home on the night of "
        "13 November, has a new telephone and does not say where it came from."
    ),
    "how_known": ["first_hand", "told_by_child", "told_by_someone_else"],
    "how_known_described": "I saw the car. A friend of Alex told me about the night away.",
    "source_wishes_to_stay_anonymous": "yes",
    "latest_event": "2026-11-20",
    "latest_event_described": "Last Friday, just after school",
    "indicators": [
        {
            "id": "missing-or-unexplained-absence",
            "note": "Away on one night, and absent on most Fridays",
            "first_seen": "2026-09",
            "last_seen": "2026-11-20",
        },
        {"id": "self-harm-or-emotional-change", "note": "Quieter than before and often tearful"},
    ],
    "factors": [
        {"id": "prior-neglect-or-abuse", "note": "Known to the school from an earlier plan", "first_seen": "2019"}
    ],
    "linked_risks": [{"id": "child-trafficking", "note": "May have been taken to another town"}],
    "online": {
        "involved": "yes",
        "apps_and_accounts": "An account called example_user_1 on a chat app",
        "described": "Messages late at night, after which Alex is upset",
    },
    "missing_now": "no",
    "missing_episodes": [
        {
            "started": "2026-11-13",
            "ended": "2026-11-14",
            "reported_to_police": "not_known",
            "described": "Alex came home the next morning and did not say where the night was spent",
        }
    ],
    "people_of_concern": [
        {
            "name": "‘Max’",
            "other_names": ["example_user_1"],
            "age_described": "Looks about 25",
            "relationship_to_child": "Alex calls him a friend",
            "address": {"text": "Somewhere near Example Park"},
            "phones_and_accounts": "07700 900003",
            "described": "Tall; waits in the car outside the school gate",
        }
    ],
    "vehicles_of_concern": [{"registration": "ends EXA", "described": "Small grey car with a dent in the left door"}],
    "places_of_concern": [
        {
            "name": "Example Park",
            "address": {"text": "By the north gate, Exampleton"},
            "described": "The car was also seen here on two Friday evenings",
        }
    ],
    "going_well": "Alex trusts an aunt and enjoys football practice on Wednesdays",
    "hoped_for": "That somebody talks with Alex soon, and that Alex is safe on the way home",
}

FULL_EXAMPLE: dict[str, Any] = {
    "guide": "child-sexual-exploitation",
    "edition": 1,
    "immediate_danger": "no",
    "police_informed": "yes",
    "police_reference": "Log 000 of 24 November 2026",
    "already_telephoned": {
        "telephoned": "yes",
        "when": "24 November 2026, about 9.30 in the morning",
        "whom": "Jo, at the duty team",
    },
    "reporter": {
        "kind": "professional",
        "source_code": "2A",
        "name": "Robin Example",
        "role": "Form tutor",
        "organisation": "Example Academy",
        "phone": "01632 960001",
        "email": "robin@academy.example",
        "safe_times_to_contact": "Weekdays before 4 pm; please leave no message",
        "relationship_to_child": "Alex’s form tutor since September",
        "anonymous_to_family": "yes",
        "safeguarding_lead_consulted": "yes",
        "safeguarding_lead_name": "Chris Example, 01632 960002",
    },
    "children": _CHILDREN,
    "parents_and_carers": _PARENTS_AND_CARERS,
    "others": _OTHERS,
    "informed_and_basis": {
        "parents_informed": "not_safe",
        "reasons_parents_not_told": ["risk_of_significant_harm"],
        "parents_informed_described": "We are not sure who else would hear of it at home",
        "child_informed": "yes",
        "childs_own_words": "‘He gets cross if I don’t answer my phone.’",
        "childs_wishes": "Alex wants it to stop and asks that an aunt is told first",
        "agreement_to_service": "not_known",
        "agreement_described": "Nobody has been asked yet",
        "lawful_basis": "public_task",
    },
    "concern": _CONCERN,
    "agencies": [
        {
            "name": "Example Youth Club",
            "worker": "Ash Example, youth worker",
            "phone": "01632 960003",
            "email": "ash@youthclub.example",
            "knows_of_concern": "no",
            "involvement": "Alex goes there on Tuesdays",
        }
    ],
    "risk_to_workers": {
        "known_risk": "not_known",
        "described": "A large dog, kept in the yard",
        "safe_contact": "Ring the school first; please do not ring the home number",
    },
    "test": False,
}
"""Every field of every part, at least once."""


# The form of a concern, for front ends that draw it.


JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
DIGEST_LENGTH = 12


class ConcernFormResponse(ResponseModel):
    """The form: its questions, how each is labelled, and which codes there are."""

    form_version: int = Field(
        description="Raised whenever the schema changes; it stands in every receipt.", examples=[FORM_VERSION]
    )
    schema_version: str = Field(
        description="The version of `json_schema` as it is here: `form_version`, and a digest of the schema with its "
        "codes. It changes whenever the schema does, and when a code list does.",
        examples=[f"{FORM_VERSION}.0123456789ab"],
    )
    json_schema: dict[str, Any] = Field(
        description="JSON Schema (2020-12) of a submission. `title` is a label, `description` a help text. "
        "`x-code-list` names the code list of a coded field, and `enum` has its codes.",
        examples=[
            {
                "$schema": JSON_SCHEMA,
                "type": "object",
                "required": ["immediate_danger", "reporter", "children", "concern"],
            }
        ],
    )
    code_lists: tuple[CodeList, ...] = Field(description="Every code list, with labels.")
    signposts: tuple[Signpost, ...] = Field(description="Whom to call, 999 first: show these above the form.")
    links: Links = Field(description="Paths of this API, by relation.", examples=[{"submit": CONCERNS}])


def concern_form(code_lists: tuple[CodeList, ...], signposts: tuple[Signpost, ...]) -> ConcernFormResponse:
    """Return the form of this version of the service, with these code lists."""
    codes = {found.name: [code.code for code in found.codes] for found in code_lists}
    schema = {"$schema": JSON_SCHEMA, **_with_codes(Concern.model_json_schema(), codes)}
    del schema["properties"][NO_QUESTION]
    digest = hashlib.sha256(canonical_json(schema)).hexdigest()[:DIGEST_LENGTH]
    return ConcernFormResponse(
        form_version=FORM_VERSION,
        schema_version=f"{FORM_VERSION}.{digest}",
        json_schema=schema,
        code_lists=code_lists,
        signposts=signposts,
        links={
            "self": CONCERN_FORM,
            "submit": CONCERNS,
            "check": CONCERN_CHECK,
            "guides": GUIDES,
            "describedby": "/openapi.json",
        },
    )


def _with_codes(schema: Any, codes: Mapping[str, list[str]]) -> Any:
    """Return a copy in which each coded field lists its codes."""
    if isinstance(schema, list):
        return [_with_codes(each, codes) for each in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {name: _with_codes(inner, codes) for name, inner in schema.items()}
    return copy | {"enum": codes[copy["x-code-list"]]} if copy.get("x-code-list") in codes else copy
