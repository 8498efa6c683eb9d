"""Two concerns that show how little and how much may be sent. Every person, place and number in them is invented."""

import hashlib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from app.models.base import ResponseModel, canonical_json
from app.models.code_lists import CodeList, Signpost
from app.models.concerns import (
    FORM_VERSION,
    NO_QUESTION,
    Agency,
    AlreadyTelephoned,
    Child,
    Concern,
    ConcernDetail,
    DutyToReport,
    InformedAndBasis,
    MissingEpisode,
    Observation,
    OnlineElement,
    OtherPerson,
    ParentOrCarer,
    PersonOfConcern,
    PlaceOfConcern,
    Reporter,
    RiskToWorkers,
    ThingThatExists,
    VehicleOfConcern,
)
from app.models.fields import Address
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


def _example(model: type[BaseModel], *left_out: str, **told: Any) -> dict[str, Any]:
    """Return the example of each field of the model, or what is told in its place."""
    fields = {name: field.examples[0] for name, field in model.model_fields.items() if field.examples}
    return {name: value for name, value in (fields | told).items() if name not in left_out}


FULL_EXAMPLE: dict[str, Any] = _example(
    Concern,
    police_informed="yes",
    already_telephoned=_example(AlreadyTelephoned),
    reporter=_example(Reporter, duty_to_report=_example(DutyToReport)),
    children=[
        _example(
            Child,
            "estimated_age",
            "expected_date_of_birth",
            age_described="In Year 10 at school",
            disabilities=["HEAR", "COMM"],
            disability_described="Wears a hearing aid and misses words in noisy rooms",
            communication_needs="Prefers to write things down when upset",
            home_address=_example(Address),
            school_or_setting="Example Academy, Year 10",
            health_visitor="None now",
            looked_after="no",
        ),
        {"given_names": "Billie", "estimated_age": 9, "age_described": "Perhaps 9 or 10"},
        {"unborn": "yes", "expected_date_of_birth": "2027-02-01", "sex": "U"},
    ],
    parents_and_carers=[
        _example(
            ParentOrCarer,
            age_described="In her forties",
            relationship_to_child="Mother of Alex and Billie; expects a child in February",
            communication_needs="Prefers a call to a letter",
        )
    ],
    others=[_example(OtherPerson, relationship_to_child="Older brother of Alex and Billie", age_described="20")],
    informed_and_basis=_example(InformedAndBasis),
    concern=_example(
        ConcernDetail,
        narrative="Three times since September Alex has been collected from the school gate by an adult whom the "
        "family does not know, last on Friday 20 November 2026 at 3.20 pm. I saw it myself. Alex was away from home on "
        "the night of 13 November, has a new telephone and does not say where it came from.",
        how_known=["first_hand", "told_by_child", "told_by_someone_else"],
        how_known_described="I saw the car. A friend of Alex told me about the night away.",
        indicators=[
            _example(Observation, note="Away on one night, and absent on most Fridays"),
            {"id": "self-harm-or-emotional-change", "note": "Quieter than before and often tearful"},
        ],
        factors=[
            {"id": "prior-neglect-or-abuse", "note": "Known to the school from an earlier plan", "first_seen": "2019"}
        ],
        linked_risks=[{"id": "child-trafficking", "note": "May have been taken to another town"}],
        online=_example(OnlineElement, involved="yes", described="Messages late at night, after which Alex is upset"),
        missing_episodes=[
            _example(
                MissingEpisode,
                described="Alex came home the next morning and did not say where the night was spent",
            )
        ],
        people_of_concern=[_example(PersonOfConcern, described="Tall; waits in the car outside the school gate")],
        vehicles_of_concern=[_example(VehicleOfConcern, described="Small grey car with a dent in the left door")],
        places_of_concern=[_example(PlaceOfConcern, described="The car was also seen here on two Friday evenings")],
        things_that_exist=[_example(ThingThatExists)],
        going_well="Alex trusts an aunt and enjoys football practice on Wednesdays",
        hoped_for="That somebody talks with Alex soon, and that Alex is safe on the way home",
    ),
    agencies=[_example(Agency)],
    risk_to_workers=_example(RiskToWorkers, safe_contact="Ring the school first; please do not ring the home number"),
)
"""Every field of every part, at least once."""


# The form of a concern, for front ends that draw it.


JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
DIGEST_LENGTH = 12


class ConcernFormResponse(ResponseModel):
    """The questions of the form, their labels and their codes."""

    form_version: int = Field(
        description="Increases whenever the schema changes. Part of every receipt.", examples=[FORM_VERSION]
    )
    schema_version: str = Field(
        description="Version of this `json_schema`: `form_version` and a digest of the schema and its codes. Changes "
        "whenever "
        "the schema or a code list changes.",
        examples=[f"{FORM_VERSION}.0123456789ab"],
    )
    json_schema: dict[str, Any] = Field(
        description="JSON Schema (2020-12) of a submission. `title` is the label and `description` the help text. For "
        "coded "
        "fields, `x-code-list` names the code list and `enum` has its codes.",
        examples=[
            {
                "$schema": JSON_SCHEMA,
                "type": "object",
                "required": ["immediate_danger", "reporter", "children", "concern"],
            }
        ],
    )
    code_lists: tuple[CodeList, ...] = Field(description="Every code list, with labels.")
    signposts: tuple[Signpost, ...] = Field(description="Who to call, 999 first. Show these above the form.")
    links: Links = Field(examples=[{"submit": CONCERNS}])


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
