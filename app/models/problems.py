"""Errors on the wire: RFC 9457 problem details."""

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from app.errors import FaultCode
from app.models.base import ResponseModel, without_default
from app.models.code_lists import Signpost
from app.models.contacts import Contact


class FieldProblem(ResponseModel):
    """One thing wrong in what was sent."""

    detail: str = Field(
        description="A sentence that a form can show beside the field.", examples=["This part is required."]
    )
    pointer: str = Field(
        description="Where it stands: a JSON Pointer (RFC 6901) into the body, as a URI fragment. `#` is the whole "
        "request, for a fault outside the body.",
        examples=["#/concern/narrative"],
    )
    code: FaultCode = Field(
        description="What is wrong, for programs; /v1/problems lists the codes.", examples=["required"]
    )
    source: str | SkipJsonSchema[None] = Field(
        default=None,
        description="The part of the request with the fault, if that is not the body: query, header or path.",
        examples=["query"],
        json_schema_extra=without_default,
    )
    parameter: str | SkipJsonSchema[None] = Field(
        default=None,
        description="The name of the parameter or header with the fault.",
        examples=["limit"],
        json_schema_extra=without_default,
    )


class ProblemDetails(ResponseModel, title="Problem"):
    """What went wrong. Nothing that was sent is repeated."""

    type: str = Field(
        description="Which kind of problem: a path of this API that explains it.", examples=["/v1/problems/not-found"]
    )
    title: str = Field(description="The kind of problem, in a few words.", examples=["Not found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(
        description="What went wrong, in a sentence.",
        examples=["Nothing answers to this path. GET /v1 lists what there is."],
    )
    instance: str = Field(
        description="This one occurrence: a URN of the request's id, which stands in the log.",
        examples=["urn:uuid:2f1c6e0a-8f0e-4f0b-9a51-6a1f6f0d7c11"],
    )
    errors: tuple[FieldProblem, ...] | None = Field(
        default=None, description="Every fault of a field that was found.", json_schema_extra=without_default
    )
    links: dict[str, str] | None = Field(
        default=None,
        description="Where to go instead.",
        examples=[{"latest_version": "/v1/guides/example"}],
        json_schema_extra=without_default,
    )
    signposts: tuple[Signpost, ...] | None = Field(
        default=None,
        description="Whom to call, 999 first. On every refusal of a concern.",
        json_schema_extra=without_default,
    )
    contacts: tuple[Contact, ...] | None = Field(
        default=None,
        description="The guide's own contacts. On every refusal of a concern.",
        json_schema_extra=without_default,
    )


class ProblemTypeResponse(ResponseModel):
    """One kind of problem that this API answers."""

    type: str = Field(description="The `type` of such a problem.", examples=["/v1/problems/not-found"])
    title: str = Field(description="In a few words.", examples=["Not found"])
    status: int = Field(description="Its HTTP status.", examples=[404])
    meaning: str = Field(
        description="What it means and what to do.",
        examples=["Nothing answers to this path. GET /v1 lists what there is."],
    )


class FaultCodeResponse(ResponseModel):
    """One code of an entry of `errors`."""

    code: FaultCode = Field(description="The code.", examples=["required"])
    meaning: str = Field(description="What it means.", examples=["The member or parameter must be there."])


class ProblemTypesResponse(ResponseModel):
    """Every kind of problem that this API answers, and every code of a fault."""

    problems: tuple[ProblemTypeResponse, ...] = Field(description="The kinds.")
    codes: tuple[FaultCodeResponse, ...] = Field(description="The codes in the entries of `errors`.")
