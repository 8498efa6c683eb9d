"""Paths of the API and of the pages. Every layer builds paths with these constants and functions."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypeAliasType

Links = TypeAliasType("Links", Annotated[dict[str, str], Field(description="Paths of this API, by relation.")])
"""The OpenAPI document describes a named type once, and refers to it from each field."""
PageLinks = TypeAliasType(
    "PageLinks",
    Annotated[dict[str, str], Field(description="`self`, and `next` if there is another page. Empty for a search.")],
)

GUIDES = "/v1/guides"
CONCERNS = "/v1/concerns"
CONCERN_FORM = f"{CONCERNS}/form"
CONCERN_CHECK = f"{CONCERNS}/check"
DESK_CONCERNS = "/v1/desk/concerns"
DESK_BURSTS = "/v1/desk/bursts"
DESK_CARDS = "/v1/desk/cards"
DESK_RECIPIENTS = "/v1/desk/recipients"
DESK_VIEWS = "/v1/desk/views"
DISCLOSURES = "/v1/desk/disclosures"
STATISTICS = "/v1/desk/statistics.csv"
CHECKPOINT = "/v1/desk/checkpoint"
SIGNPOSTS = "/v1/signposts"
CODE_LISTS = "/v1/code-lists"
PROBLEMS = "/v1/problems"


def problem_path(slug: str) -> str:
    return f"{PROBLEMS}/{slug}"


def guide_path(guide: str) -> str:
    return f"{GUIDES}/{guide}"


def guide_page_path(guide: str) -> str:
    return f"/guides/{guide}"


def history_path(guide: str) -> str:
    return f"{guide_path(guide)}/editions"


def draft_path(guide: str) -> str:
    return f"{guide_path(guide)}/draft"


def edition_path(guide: str, number: int) -> str:
    return f"{history_path(guide)}/{number}"


def renditions_path(guide: str) -> str:
    return f"{guide_path(guide)}/renditions"


def rendition_path(guide: str, language: str, number: int | None = None) -> str:
    """Return the path of a rendition. Without `number` it always leads to the current one."""
    path = f"{renditions_path(guide)}/{language}"
    return path if number is None else f"{path}/{number}"


def rendition_page_path(guide: str, language: str, number: int | None = None) -> str:
    """Return the path of a rendition's page. Without `number` it always leads to the current one."""
    path = f"{guide_page_path(guide)}/renditions/{language}"
    return path if number is None else f"{path}/{number}"


def picture_path(guide: str, language: str, number: int, digest: str) -> str:
    return f"{rendition_page_path(guide, language, number)}/pictures/{digest.removeprefix('sha256:')}.jpg"


def concern_path(reference: str, *steps: str) -> str:
    return "/".join((CONCERNS, reference, *steps))


def desk_concern_path(reference: str, *steps: str | int) -> str:
    return "/".join((DESK_CONCERNS, reference, *map(str, steps)))
