"""Errors on the wire: RFC 9457 problem details."""

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from app.errors import FaultCode
from app.models.base import ResponseModel, without_default
from app.models.guides.contacts import Contact
from app.models.guides.signposts import Signpost, TeamOnDuty
from app.models.links import PageLinks


class FieldProblem(ResponseModel):
    """One validation error."""

    detail: str = Field(
        description="A sentence that a form can show beside the field.", examples=["This part is required."]
    )
    pointer: str = Field(
        description="JSON Pointer (RFC 6901) into the body, as a URI fragment. `#` for an error outside the body.",
        examples=["#/concern/narrative"],
    )
    code: FaultCode = Field(
        description="Error code, for programs. /v1/problems lists the codes.", examples=["required"]
    )
    source: str | SkipJsonSchema[None] = Field(
        default=None,
        description="Part of the request with the error, if not the body: query, header or path.",
        examples=["query"],
        json_schema_extra=without_default,
    )
    parameter: str | SkipJsonSchema[None] = Field(
        default=None,
        description="Name of the invalid parameter or header.",
        examples=["limit"],
        json_schema_extra=without_default,
    )


class ProblemDetails(ResponseModel, title="Problem"):
    """A problem. It never repeats what was sent."""

    type: str = Field(
        description="Problem type: a path of this API that explains it.", examples=["/v1/problems/not-found"]
    )
    title: str = Field(description="Short title of the problem type.", examples=["Not found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(
        description="What went wrong, in a sentence.",
        examples=["There is nothing at this path. GET /v1 lists the resources."],
    )
    instance: str = Field(
        description="This occurrence: a URN with the request id, which is also in the log.",
        examples=["urn:uuid:2f1c6e0a-8f0e-4f0b-9a51-6a1f6f0d7c11"],
    )
    errors: tuple[FieldProblem, ...] | None = Field(
        default=None, description="Validation errors.", json_schema_extra=without_default
    )
    links: dict[str, str] | None = Field(
        default=None,
        description="Links to follow instead.",
        examples=[{"latest_version": "/v1/guides/example"}],
        json_schema_extra=without_default,
    )
    signposts: tuple[Signpost, ...] | None = Field(
        default=None,
        description="Who to call, 999 first. In every refusal of a concern.",
        json_schema_extra=without_default,
    )
    contacts: tuple[Contact, ...] | None = Field(
        default=None,
        description="The guide's own contacts. In every refusal of a concern.",
        json_schema_extra=without_default,
    )
    teams: tuple[TeamOnDuty, ...] | None = Field(
        default=None,
        description="Whom of the council to call now, in this order. In every refusal of a concern.",
        json_schema_extra=without_default,
    )


class ProblemTypeResponse(ResponseModel):
    """One type of problem that this API can return."""

    type: str = Field(description="`type` of the problem.", examples=["/v1/problems/not-found"])
    title: str = Field(description="Short title.", examples=["Not found"])
    status: int = Field(description="Its HTTP status.", examples=[404])
    meaning: str = Field(
        description="Meaning, and what to do.",
        examples=["There is nothing at this path. GET /v1 lists the resources."],
    )


class FaultCodeResponse(ResponseModel):
    """One code of an entry of `errors`."""

    code: FaultCode = Field(description="The code.", examples=["required"])
    meaning: str = Field(description="Meaning of the code.", examples=["A required member or parameter is missing."])


class ProblemTypesResponse(ResponseModel):
    """Every type of problem that this API can return, and the codes of validation errors."""

    problems: tuple[ProblemTypeResponse, ...] = Field(description="The problem types.")
    codes: tuple[FaultCodeResponse, ...] = Field(description="The codes in the entries of `errors`.")
    links: PageLinks = Field(examples=[{"self": "/v1/problems"}])
