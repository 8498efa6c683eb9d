"""The arguments of the tools for assistants: names, numbers and a few words."""

from pydantic import Field

from app.models.base import MAX_NUMBER, RequestModel, Slug
from app.models.guidance.languages import LanguageTag
from app.models.guidance.sections import Section

MAX_SEARCH_LENGTH = 80


class OfGuide(RequestModel):
    """The arguments of a tool that reads one guide."""

    guide: Slug | None = Field(
        default=None,
        description="The guide's name. Without it, the service's default guide.",
        examples=["child-sexual-exploitation"],
    )


class OfGuideInLanguage(OfGuide):
    """The arguments of a tool that reads one guide in one language."""

    language: LanguageTag | None = Field(
        default=None,
        description="The language to read it in (BCP 47): one of `languages` of `read_guide`. Without it, the guide's "
        "own words.",
        examples=["cy"],
    )


class OfSection(OfGuideInLanguage):
    """The arguments of `read_section`."""

    section: Section = Field(description="The section to read.", examples=["indicators"])


class OfSearch(RequestModel):
    """The arguments of `search_guidance`."""

    words: str = Field(
        min_length=1,
        max_length=MAX_SEARCH_LENGTH,
        description="One to four words of the guidance. Never a description of a child or of what happened.",
        examples=["missing school"],
    )
    limit: int = Field(default=10, ge=1, le=20, description="The most items to return.", examples=[10])


class OfChanges(OfGuide):
    """The arguments of `compare_editions`."""

    edition: int | None = Field(
        default=None, ge=1, le=MAX_NUMBER, description="The later edition. Without it, the current one.", examples=[2]
    )
    since: int | None = Field(
        default=None,
        ge=1,
        le=MAX_NUMBER,
        description="The earlier edition. Without it, the one before the later.",
        examples=[1],
    )
