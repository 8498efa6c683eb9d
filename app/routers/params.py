"""The path and query parameters of the routes, each with its limits, its description and an example."""

from typing import Annotated, Any

from fastapi import Path, Query

from app.models.base import MAX_NUMBER, SLUG_PATTERN
from app.models.concerns.receipts import EXAMPLE_REFERENCE
from app.models.guidance.sections import Section
from app.web.cursors import encode_key
from app.web.query_params import IN_PLAIN_DIGITS, Cursor

GuideName = Annotated[
    str,
    Path(pattern=SLUG_PATTERN, max_length=80, description="The guide.", examples=["child-sexual-exploitation"]),
]
EditionNumber = Annotated[
    int, Path(ge=1, le=MAX_NUMBER, description="The edition's number.", examples=[1]), IN_PLAIN_DIGITS
]
SectionName = Annotated[Section, Path(description="The section.", examples=["indicators"])]


def item_name(section: Section) -> Any:
    """Return the path parameter of an item of the section, with the id of its first item as the example."""
    example = section.entry.item.model_fields["id"].examples[0]  # type: ignore[index]  # every id has an example
    return Path(pattern=SLUG_PATTERN, max_length=80, description="The item's id.", examples=[example])


GuideCursor = Annotated[Cursor, Query(examples=[encode_key("child-sexual-exploitation")])]
TypedReference = Annotated[
    str, Path(max_length=40, description="The reference, in any case and grouping.", examples=[EXAMPLE_REFERENCE])
]
AdditionNumber = Annotated[
    int, Path(ge=1, le=MAX_NUMBER, description="The addition's place, from 1.", examples=[1]), IN_PLAIN_DIGITS
]
NoteNumber = Annotated[
    int, Path(ge=1, le=MAX_NUMBER, description="The note's place, from 1.", examples=[1]), IN_PLAIN_DIGITS
]
ConcernReference = Annotated[
    str, Path(max_length=40, description="The concern's reference.", examples=[EXAMPLE_REFERENCE])
]
