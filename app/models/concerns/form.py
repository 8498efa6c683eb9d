"""The form of a concern, for front ends that draw it."""

from typing import Any

from pydantic import Field

from app.models.base import ResponseModel
from app.models.code_lists import CodeList
from app.models.concerns.concern import FORM_VERSION, Concern
from app.models.guidance.signposts import Signpost
from app.models.links import CONCERN_CHECK, CONCERN_FORM, CONCERNS, GUIDES, Links


class ConcernFormResponse(ResponseModel):
    """The form: what may be asked, how it is labelled, and which codes there are."""

    form_version: int = Field(
        description="Raised whenever the schema changes; it stands in every receipt.", examples=[FORM_VERSION]
    )
    json_schema: dict[str, Any] = Field(
        description="JSON Schema (2020-12) of a submission. `title` is a label, `description` a help text, and "
        "`x-code-list` names the code list of a coded field.",
        examples=[{"type": "object", "required": ["immediate_danger", "reporter", "children", "concern"]}],
    )
    code_lists: tuple[CodeList, ...] = Field(description="Every code list, with labels.")
    signposts: tuple[Signpost, ...] = Field(description="Whom to call, 999 first: show these above the form.")
    links: Links = Field(description="Paths of this API, by relation.", examples=[{"submit": CONCERNS}])


def concern_form(code_lists: tuple[CodeList, ...], signposts: tuple[Signpost, ...]) -> ConcernFormResponse:
    """Return the form of this version of the service."""
    return ConcernFormResponse(
        form_version=FORM_VERSION,
        json_schema=Concern.model_json_schema(),
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
