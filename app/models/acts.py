"""Requests and responses of the desk about who works on a concern."""

from pydantic import Field

from app.models.base import RequestModel, ResponseModel, UtcDateTime
from app.models.links import Links, assignment_path
from app.models.people import PersonName
from app.models.receipts import EXAMPLE_REFERENCE


class Assignment(RequestModel):
    """The person that works on the concern from now on."""

    person: PersonName


class AssignmentState(ResponseModel):
    """The person that a concern is assigned to, and the act that did it."""

    assigned_to: str | None = Field(description="The person; null for nobody.", examples=["Robin Example"])
    at: UtcDateTime | None = Field(description="When it was assigned so; null where nobody ever assigned it.")
    by: str | None = Field(
        description="Who did it, as the record names them; null where nobody ever assigned it.",
        examples=["example-desk/Sam Example"],
    )


class AssignmentResponse(AssignmentState):
    """The person that a concern is assigned to. The ETag of the response is that of this assignment."""

    reference: str = Field(description="The concern's reference.", examples=[EXAMPLE_REFERENCE])
    replaced: AssignmentState | None = Field(
        description="The assignment before this request, as another person may have made it meanwhile; null in the "
        "answer to a read."
    )
    links: Links = Field(examples=[{"self": assignment_path(EXAMPLE_REFERENCE)}])
