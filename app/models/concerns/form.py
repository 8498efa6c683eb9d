"""The form of a concern, for front ends that display it."""

import hashlib
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from app.models.base import ResponseModel, canonical_json
from app.models.concerns.concern import FORM_VERSION, NO_QUESTION, Concern
from app.models.guides.code_lists import CodeList
from app.models.guides.signposts import NO_TEAMS, Signpost, TeamOnDuty, TeamsOnDuty
from app.models.links import CONCERN_CHECK, CONCERN_FORM, CONCERNS, GUIDES, Links

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
    teams: TeamsOnDuty = NO_TEAMS
    links: Links = Field(examples=[{"submit": CONCERNS}])


def concern_form(
    code_lists: tuple[CodeList, ...], signposts: tuple[Signpost, ...], teams: tuple[TeamOnDuty, ...] = ()
) -> ConcernFormResponse:
    """Return the form without the field `test`, which is only for developers."""
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
        teams=teams,
        links={
            "self": CONCERN_FORM,
            "submit": CONCERNS,
            "check": CONCERN_CHECK,
            "guides": GUIDES,
            "describedby": "/openapi.json",
        },
    )


def _with_codes(schema: Any, codes: Mapping[str, list[str]]) -> Any:
    """Put the codes of each `x-code-list` into `enum`."""
    if isinstance(schema, list):
        return [_with_codes(each, codes) for each in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {name: _with_codes(inner, codes) for name, inner in schema.items()}
    return copy | {"enum": codes[copy["x-code-list"]]} if copy.get("x-code-list") in codes else copy
