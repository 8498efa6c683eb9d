"""Path, query and header parameters, and responses to idempotent requests."""

import re
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Header, Path, Query, Request, Response
from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from app.errors import SeveralIdempotencyKeys
from app.http.negotiation import JSON
from app.models.base import MAX_NUMBER, SLUG_PATTERN
from app.models.guides.code_lists import MAX_CODE_LENGTH
from app.models.guides.edition_keys import EditionKey, RenditionKey
from app.models.guides.sections import Section
from app.models.languages import MAX_TAG_LENGTH, TAG_PATTERN
from app.models.references import EXAMPLE_REFERENCE
from app.services.concerns.idempotency import IdempotentResult
from app.services.cursors import encode_key

PLAIN = re.compile("0|[1-9][0-9]*")
Cursor = Annotated[
    str | None,
    Query(max_length=400, description="`next_cursor` of the previous page.", examples=["NTA"]),
]
GuideName = Annotated[
    str, Path(pattern=SLUG_PATTERN, max_length=80, description="The guide.", examples=["child-sexual-exploitation"])
]
LanguageName = Annotated[
    str, Path(pattern=TAG_PATTERN, max_length=MAX_TAG_LENGTH, description="The language (BCP 47).", examples=["cy"])
]
SectionName = Annotated[Section, Path(description="The section.", examples=["indicators"])]
AboutSubject = Annotated[
    str | None,
    Query(
        pattern=r"^[a-z0-9]+(?:_[a-z0-9]+)*$",
        max_length=MAX_CODE_LENGTH,
        description="Only guides about this subject: a code of the list `subject`.",
        examples=["child_sexual_exploitation"],
    ),
]
GuideCursor = Annotated[Cursor, Query(examples=[encode_key("child-sexual-exploitation")])]
TypedReference = Annotated[
    str, Path(max_length=40, description="The reference, in any case and grouping.", examples=[EXAMPLE_REFERENCE])
]
ConcernReference = Annotated[
    str, Path(max_length=40, description="The concern's reference.", examples=[EXAMPLE_REFERENCE])
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r'^("[\x21\x23-\x7e]+"|[\x21\x23-\x7e]+)$',
        description="A new random key, such as a UUID, for each concern (draft-ietf-httpapi-idempotency-key-header). "
        "A retry "
        "with the same key and content returns the first receipt and creates no second concern.",
        examples=["5d2f0c8e-7a8f-4e0e-9d55-0f7a3c0a9b11"],
    ),
    AfterValidator(lambda key: key and key.strip('"')),  # the standard has the key in quotes
]


def _check_plain_digits(value: Any) -> Any:
    if isinstance(value, str) and not PLAIN.fullmatch(value):
        raise PydanticCustomError("int_parsing", "not in plain digits")
    return value


IN_PLAIN_DIGITS = BeforeValidator(_check_plain_digits)
"""Refuses `1.0`, `+1` and `01`. Put it last: later bounds would miss in the JSON Schema."""

Limit = Annotated[
    int, Query(ge=1, le=200, description="Maximum number of entries per page.", examples=[50]), IN_PLAIN_DIGITS
]


def _number(description: str) -> Any:
    return Path(ge=1, le=MAX_NUMBER, description=description, examples=[1])


EditionNumber = Annotated[int, _number("The edition's number."), IN_PLAIN_DIGITS]

RenditionNumber = Annotated[int, _number("The rendition's number."), IN_PLAIN_DIGITS]


class RenditionName(NamedTuple):
    guide: str
    language: str


async def edition_key(guide: GuideName, number: EditionNumber) -> EditionKey:
    """The dependencies of this module are `async`, so that FastAPI calls them without a thread."""
    return EditionKey(guide, number)


async def rendition_name(guide: GuideName, language: LanguageName) -> RenditionName:
    return RenditionName(guide, language)


async def rendition_key(guide: GuideName, language: LanguageName, number: RenditionNumber) -> RenditionKey:
    return RenditionKey(guide, language, number)


EditionKeyDep = Annotated[EditionKey, Depends(edition_key)]

RenditionNameDep = Annotated[RenditionName, Depends(rendition_name)]

RenditionKeyDep = Annotated[RenditionKey, Depends(rendition_key)]


def item_name(section: Section) -> Any:
    example = section.entry.item.model_fields["id"].examples[0]  # type: ignore[index]  # every id has an example
    return Path(pattern=SLUG_PATTERN, max_length=80, description="The item's id.", examples=[example])


AdditionNumber = Annotated[int, _number("Number of the addition, from 1."), IN_PLAIN_DIGITS]

NoteNumber = Annotated[int, _number("Number of the note, from 1."), IN_PLAIN_DIGITS]


def expect_one_key_at_most(request: Request) -> None:
    if len(request.headers.getlist("idempotency-key")) > 1:
        raise SeveralIdempotencyKeys


def created_response(result: IdempotentResult, location: str) -> Response:
    """Return 201, with `Idempotency-Replayed: true` for an earlier, identical request."""
    response = stored_response(result)
    response.status_code, response.headers["Location"] = 201, location
    return response


def stored_response(result: IdempotentResult) -> Response:
    headers = {"Idempotency-Replayed": "true"} if result.is_replay else {}
    return Response(result.receipt, media_type=JSON, headers=headers)
