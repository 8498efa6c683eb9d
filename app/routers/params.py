"""The path and query parameters of the routes, each with its limits, its description and an example."""

from typing import Annotated, Any, NamedTuple

from fastapi import Header, Path, Query, Request

from app.errors import SeveralIdempotencyKeys
from app.models.base import MAX_NUMBER, SLUG_PATTERN
from app.models.code_lists import MAX_CODE_LENGTH
from app.models.concerns.receipts import EXAMPLE_REFERENCE
from app.models.guidance.languages import MAX_TAG_LENGTH, TAG_PATTERN
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
LanguageName = Annotated[
    str,
    Path(pattern=TAG_PATTERN, max_length=MAX_TAG_LENGTH, description="The language (BCP 47).", examples=["cy"]),
]
RenditionNumber = Annotated[
    int, Path(ge=1, le=MAX_NUMBER, description="The rendition's number.", examples=[1]), IN_PLAIN_DIGITS
]
SectionName = Annotated[Section, Path(description="The section.", examples=["indicators"])]


class Asked(NamedTuple):
    """What a path names. Without a number, the current edition, or the rendition to read in the language."""

    guide: str
    language: str | None = None
    number: int | None = None


async def ask_current_edition(guide: GuideName) -> Asked:
    """Read the path of a guide. This and the next are `async` so that they need no thread."""
    return Asked(guide)


async def ask_numbered_edition(guide: GuideName, number: EditionNumber) -> Asked:
    """Read the path of a numbered edition."""
    return Asked(guide, None, number)


async def ask_current_rendition(guide: GuideName, language: LanguageName) -> Asked:
    """Read the path of a guide in another language."""
    return Asked(guide, language)


async def ask_numbered_rendition(guide: GuideName, language: LanguageName, number: RenditionNumber) -> Asked:
    """Read the path of a numbered rendition."""
    return Asked(guide, language, number)


AboutSubject = Annotated[
    str | None,
    Query(
        pattern=r"^[a-z0-9]+(?:_[a-z0-9]+)*$",
        max_length=MAX_CODE_LENGTH,
        description="Only guides that are about this subject: a code of the list `subject`.",
        examples=["child_sexual_exploitation"],
    ),
]


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
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r'^("[\x21\x23-\x7e]+"|[\x21\x23-\x7e]+)$',
        description="A new random key, such as a UUID, for each concern (draft-ietf-httpapi-idempotency-key-header). A "
        "retry with the same key and the same words gets the first receipt and makes no second concern.",
        examples=["5d2f0c8e-7a8f-4e0e-9d55-0f7a3c0a9b11"],
    ),
]


def expect_one_key_at_most(request: Request) -> None:
    """Refuse a request with two idempotency keys. Raises `SeveralIdempotencyKeys`."""
    if len(request.headers.getlist("idempotency-key")) > 1:
        raise SeveralIdempotencyKeys
