"""The changes between two editions, as data."""

from enum import StrEnum

from pydantic import Field, JsonValue

from app.models.base import ResponseModel
from app.models.guidance.guide_responses import GUIDANCE_LINKS, Item, WithCautions
from app.models.guidance.items import Caution
from app.models.links import Links


class WordChange(StrEnum):
    """What happened to a run of words."""

    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"


class WordRun(ResponseModel):
    """A run of words, and what happened to it."""

    change: WordChange = Field(description="What happened to these words.", examples=["added"])
    text: str = Field(description="The words.", examples=["or online"])


class Reworded(ResponseModel):
    """An item that stands in both editions, in other words."""

    id: str = Field(description="The item's id.", examples=["secrecy"])
    fields: tuple[str, ...] = Field(description="The fields that differ.", examples=[["text"]])
    before: Item | Caution = Field(description="The item in the earlier edition.")
    after: Item | Caution = Field(description="The item in the later edition.")
    words: tuple[WordRun, ...] = Field(
        description="The text of both, run by run; empty where the text is the same or the item has none."
    )


class Moved(ResponseModel):
    """An item that stands in another order among those that both editions have."""

    id: str = Field(description="The item's id.", examples=["secrecy"])
    position_before: int = Field(description="Its place in the earlier edition.", examples=[2])
    position_after: int = Field(description="Its place in the later edition.", examples=[5])


class SectionChanges(ResponseModel):
    """What changed in one section."""

    added: tuple[Item | Caution, ...] = Field(description="Items that only the later edition has.")
    removed: tuple[Item | Caution, ...] = Field(description="Items that only the earlier edition has.")
    reworded: tuple[Reworded, ...] = Field(description="Items whose words, or other fields, differ.")
    moved: tuple[Moved, ...] = Field(
        description="The fewest items whose moving explains the new order; both, where two changed places."
    )


class FieldChange(ResponseModel):
    """A field of the edition itself that differs."""

    field: str = Field(description="The field.", examples=["title"])
    before: JsonValue = Field(description="Its value in the earlier edition.", examples=["A title"])
    after: JsonValue = Field(description="Its value in the later edition.", examples=["Another title"])


class ChangesResponse(WithCautions):
    """What changed between two editions. `edition`, `digest` and `cautions` are those of the later request path."""

    since: int = Field(description="The number of the edition compared with.", examples=[1])
    change_note: str = Field(description="What the edition's publisher says of it.", examples=["One indicator added."])
    sections: dict[str, SectionChanges] = Field(
        description="Each section that changed, by its key; a section that is absent did not change.",
        examples=[{"indicators": {"added": [], "removed": [], "reworded": [], "moved": []}}],
    )
    fields: tuple[FieldChange, ...] = Field(description="Fields of the edition itself that changed.")
    links: Links = GUIDANCE_LINKS
