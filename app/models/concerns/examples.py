"""The smallest and the fullest example of a concern. Every person, place and number in them is invented."""

from typing import Any

from pydantic import BaseModel

from app.models.concerns.concern import (
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
from app.models.concerns.fields import Address

SMALLEST_EXAMPLE: dict[str, Any] = {
    "immediate_danger": "not_sure",
    "reporter": {"kind": "member_of_public"},
    "children": [{}],
    "concern": {
        "narrative": "A child in the park asked a stranger for a place to sleep. I do not know the child’s name."
    },
}


def _example(model: type[BaseModel], *left_out: str, **told: Any) -> dict[str, Any]:
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
