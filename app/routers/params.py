"""The path and query parameters of the routes, each with its limits, its description and an example."""

from typing import Annotated

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
ItemName = Annotated[
    str,
    Path(
        pattern=SLUG_PATTERN,
        max_length=80,
        description="The item's id.",
        examples=["missing-or-unexplained-absence"],
    ),
]
GuideCursor = Annotated[Cursor, Query(examples=[encode_key("child-sexual-exploitation")])]
TypedReference = Annotated[
    str, Path(max_length=40, description="The reference, in any case and grouping.", examples=[EXAMPLE_REFERENCE])
]
ConcernReference = Annotated[
    str, Path(max_length=40, description="The concern's reference.", examples=[EXAMPLE_REFERENCE])
]
