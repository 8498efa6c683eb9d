"""Requests and responses about the restriction of a concern to leads or to named people."""

from pydantic import Field

from app.models.access.names import PersonName
from app.models.base import RequestModel, ResponseModel, Text
from app.models.links import Links, desk_concern_path
from app.models.references import EXAMPLE_REFERENCE

MAX_PEOPLE = 20


class Restriction(RequestModel):
    """Restricts a concern to leads or to named people, or lifts the restriction."""

    restricted: bool = Field(description="True to restrict, false to lift the restriction.", examples=[True])
    people: tuple[PersonName, ...] = Field(
        default=(),
        max_length=MAX_PEOPLE,
        description="The only people who may open the concern: two or more, with at least one lead among them. If "
        "empty, all leads may. Only a lead may name people.",
        examples=[["Robin Example", "Sam Example"]],
    )
    allegation: bool = Field(
        default=False,
        description="True if the concern is about somebody who works with children or for the council, and is "
        "restricted for that. The day by which to tell the designated officer is then set, unless one is.",
        examples=[True],
    )
    reason: Text = Field(
        description="Reason, for the audit log. Do not name anyone.",
        examples=["About someone who works here."],
    )


class RestrictionState(ResponseModel):
    """Who may open a concern. Everyone else is told that there is no such concern."""

    reference: str = Field(description="The concern's reference.", examples=[EXAMPLE_REFERENCE])
    restricted: bool = Field(description="False if everyone at the desk may open it.", examples=[True])
    people: tuple[str, ...] = Field(
        description="The people who may open it. If it is restricted and this is empty, leads may.",
        examples=[["Robin Example", "Sam Example"]],
    )
    links: Links = Field(examples=[{"self": desk_concern_path(EXAMPLE_REFERENCE, "restriction")}])
