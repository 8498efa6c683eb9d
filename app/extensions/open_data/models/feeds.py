"""The JSON Feeds (version 1.1): publications and withdrawals of editions and renditions, and reviews that are due."""

from typing import Final, Literal

from pydantic import ConfigDict, Field

from app.models.base import EXAMPLE_DIGEST, EXAMPLE_RENDITION_DIGEST, GuideName, ResponseModel, UtcDateTime
from app.models.languages import RenditionForm

Happening = Literal["published", "withdrawn", "review_due", "rendition_published", "rendition_withdrawn"]
JSON_FEED_VERSION: Final = "https://jsonfeed.org/version/1.1"


class FeedAuthor(ResponseModel):
    """The publisher."""

    name: str = Field(description="The publisher as printed.", examples=["Bath & North East Somerset Council"])


class FeedRendition(ResponseModel):
    """The rendition of an entry."""

    language: str = Field(description="Its language (BCP 47).", examples=["cy"])
    number: int = Field(description="Number among the guide's renditions in this language.", examples=[1])
    form: RenditionForm = Field(description="Its form.", examples=["translation"])
    digest: str = Field(description="Its own digest.", examples=[EXAMPLE_RENDITION_DIGEST])


class FeedGuidance(ResponseModel):
    """The edition of an entry: an extension of JSON Feed by this service."""

    about: str = Field(description="Documentation of this extension.", examples=["https://example.org/docs"])
    guide: GuideName
    edition: int = Field(description="The edition's number.", examples=[1])
    happening: Happening = Field(description="The kind of change.", examples=["published"])
    digest: str = Field(description="The edition's digest.", examples=[EXAMPLE_DIGEST])
    rendition: FeedRendition | None = Field(
        default=None, description="The rendition; null if the entry is about the edition itself.", examples=[None]
    )
    api_url: str = Field(
        description="URL of the edition or rendition as data; after a withdrawal, of the guide's list.",
        examples=["https://guidance.example/v1/guides/child-sexual-exploitation/editions/1"],
    )


class FeedItem(ResponseModel):
    """One entry."""

    model_config = ConfigDict(populate_by_name=True)

    id: str = Field(
        description="Id of the entry: a version 5 UUID of guide, edition or rendition, digest and kind of change.",
        examples=["urn:uuid:9a9de7f6-2b7c-5d3c-9f4c-0d4ed1a4e9b0"],
    )
    url: str = Field(
        description="Web page of the edition or rendition; after a withdrawal, of the guide.",
        examples=["https://guidance.example/guides/child-sexual-exploitation/editions/1"],
    )
    title: str = Field(
        description="The event and its edition, in one line.",
        examples=["Published: ‘One Minute Guide’ to Child Sexual Exploitation (CSE), edition 1"],
    )
    content_text: str = Field(
        description="The change note, who checked a rendition, or the reason for the withdrawal.",
        examples=["First edition."],
    )
    date_published: UtcDateTime = Field(description="Time of the event.")
    date_modified: UtcDateTime = Field(description="Same as `date_published`: entries never change.")
    authors: tuple[FeedAuthor, ...] = Field(description="Publisher of the edition.")
    tags: tuple[str, ...] = Field(
        description="The kind of change, the guide, and the language of a rendition.",
        examples=[["published", "child-sexual-exploitation"]],
    )
    guidance: FeedGuidance = Field(alias="_guidance", description="The edition, for programs.")


class JsonFeed(ResponseModel):
    """The latest publications and withdrawals, most recent first."""

    version: Literal["https://jsonfeed.org/version/1.1"] = Field(
        default=JSON_FEED_VERSION, description="The version of JSON Feed.", examples=[JSON_FEED_VERSION]
    )
    title: str = Field(description="Title of the feed.", examples=["One Minute Guide: editions"])
    home_page_url: str = Field(description="This service.", examples=["https://guidance.example/"])
    feed_url: str = Field(description="This feed.", examples=["https://guidance.example/v1/feed.json"])
    description: str = Field(description="Content of the feed.", examples=["Editions and renditions."])
    language: str = Field(default="en-GB", description="The language of the texts.", examples=["en-GB"])
    authors: tuple[FeedAuthor, ...] = Field(description="Provider of the feed.")
    items: tuple[FeedItem, ...] = Field(description="The entries, 50 at most.")
