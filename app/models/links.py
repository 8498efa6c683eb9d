"""Paths of the API and of the pages. Every layer builds paths with these constants and functions."""

from typing import Annotated

from pydantic import Field

Links = Annotated[dict[str, str], Field(description="Paths of this API, by relation.")]

PageLinks = Annotated[
    dict[str, str], Field(description="`self`, and `next` if there is another page. Empty for a search.")
]

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
    """Return the path at which the API explains the problem type `slug`."""
    return f"{PROBLEMS}/{slug}"


def guide_path(guide: str) -> str:
    """Return the path of a guide's current edition."""
    return f"{GUIDES}/{guide}"


def guide_page_path(guide: str) -> str:
    """Return the path of the page of a guide's current edition."""
    return f"/guides/{guide}"


def history_path(guide: str) -> str:
    """Return the path of the list of a guide's editions."""
    return f"{guide_path(guide)}/editions"


def draft_path(guide: str) -> str:
    """Return the path of the draft of a guide."""
    return f"{guide_path(guide)}/draft"


def edition_path(guide: str, number: int) -> str:
    """Return the path of edition `number` of a guide."""
    return f"{history_path(guide)}/{number}"


def renditions_path(guide: str) -> str:
    """Return the path of the list of a guide's renditions."""
    return f"{guide_path(guide)}/renditions"


def rendition_path(guide: str, language: str, number: int | None = None) -> str:
    """Return the path of rendition `number` of a guide in a language.

    If `number` is None, return the path that always leads to the current rendition in that language.
    """
    path = f"{renditions_path(guide)}/{language}"
    return path if number is None else f"{path}/{number}"


def rendition_page_path(guide: str, language: str, number: int | None = None) -> str:
    """Return the path of the page of rendition `number` of a guide in a language.

    If `number` is None, return the path that always leads to the current rendition in that language.
    """
    path = f"{guide_page_path(guide)}/renditions/{language}"
    return path if number is None else f"{path}/{number}"


def picture_path(guide: str, language: str, number: int, digest: str) -> str:
    """Return the path of the picture with `digest`, as rendition `number` of a guide in a language shows it."""
    return f"{rendition_page_path(guide, language, number)}/pictures/{digest.removeprefix('sha256:')}.jpg"


def concern_path(reference: str, *steps: str) -> str:
    """Return the path at which a reporter reads the status of a concern, followed by `steps`."""
    return "/".join((CONCERNS, reference, *steps))


def desk_concern_path(reference: str, *steps: str | int) -> str:
    """Return the path of a concern at the desk, followed by `steps`."""
    return "/".join((DESK_CONCERNS, reference, *map(str, steps)))
