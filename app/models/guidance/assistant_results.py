"""The results of the tools for assistants.

Every result begins with the emergency sentence, the cautions and the editions, because a program that shortens a result
shortens its end.
"""

from pydantic import Field

from app.models.base import ResponseModel
from app.models.guidance.changes import FieldChange, SectionChanges
from app.models.guidance.contacts import Contact
from app.models.guidance.editions import EditionContent
from app.models.guidance.guide_responses import DIGEST, Item
from app.models.guidance.items import Caution
from app.models.guidance.rendition_responses import RenditionFacts
from app.models.guidance.sections import Section
from app.models.guidance.signposts import CALL_999_FIRST, Signpost


class CitedEdition(ResponseModel):
    """The edition that words come from. Name it whenever the words are quoted."""

    guide: str = Field(description="The guide's name.", examples=["child-sexual-exploitation"])
    edition: int = Field(description="The edition's number.", examples=[1])
    digest: str = Field(description="The digest of the edition's words.", examples=[DIGEST])
    url: str = Field(
        description="Where the edition is, for ever.",
        examples=["https://guidance.example/v1/guides/child-sexual-exploitation/editions/1"],
    )


class AssistantResult(ResponseModel):
    """The beginning of every result."""

    emergency: str = Field(description="Say this first.", examples=[CALL_999_FIRST])
    cautions: tuple[Caution, ...] = Field(description="Say these with every indicator or factor.")
    editions: tuple[CitedEdition, ...] = Field(description="The editions that the words come from.")


class NamedGuide(ResponseModel):
    """A guide that can be read."""

    guide: str = Field(description="Its name, as an argument.", examples=["child-sexual-exploitation"])
    title: str = Field(description="Its title.", examples=["‘One Minute Guide’ to Child Sexual Exploitation (CSE)"])


class WordsResult(AssistantResult):
    """The words of a guide, its own or those of a rendition."""

    rendition: RenditionFacts | None = Field(
        description="What the words are, where they are in another language or form. Say its `notices` with them. "
        "Null: they are the guide's own."
    )


class GuideResult(WordsResult):
    """A guide's current edition, word for word."""

    languages: tuple[str, ...] = Field(
        description="The languages that it can be read in; the first is its own.", examples=[["en-GB", "cy"]]
    )
    content: EditionContent = Field(description="The whole edition.")
    guides: tuple[NamedGuide, ...] = Field(description="The guides that can be read, by name; at most 100.")


class SectionResult(WordsResult):
    """One section of a guide's current edition, word for word."""

    section: Section = Field(description="The section.", examples=["indicators"])
    items: tuple[Item, ...] = Field(description="Its items in their printed order, which says nothing of their weight.")


class FoundWords(ResponseModel):
    """An item that holds the words."""

    guide: str = Field(description="Its guide.", examples=["child-sexual-exploitation"])
    section: Section = Field(description="Its section.", examples=["indicators"])
    item: Item = Field(description="The item, word for word.")


class SearchResult(AssistantResult):
    """The items that hold every word. Their order and number say nothing of any child."""

    results: tuple[FoundWords, ...] = Field(description="The items; empty if none holds every word.")


class ChangesResult(AssistantResult):
    """What an edition changed since an earlier one."""

    edition: int = Field(description="The later edition.", examples=[2])
    since: int = Field(description="The earlier edition.", examples=[1])
    change_note: str = Field(description="What the publisher says of the later edition.", examples=["One number."])
    sections: dict[str, SectionChanges] = Field(description="Each section that changed.", examples=[{}])
    fields: tuple[FieldChange, ...] = Field(description="The edition's own fields that changed.")


class WhoToCallResult(AssistantResult):
    """The numbers to call. A call, or the form, is the only way to raise a concern: no tool takes one."""

    contacts: tuple[Contact, ...] = Field(description="The contacts that the guide prints.")
    signposts: tuple[Signpost, ...] = Field(description="National and local services, 999 first.")
    form_url: str = Field(
        description="The page where a person raises a concern.",
        examples=["https://guidance.example/raise-a-concern/child-sexual-exploitation"],
    )
