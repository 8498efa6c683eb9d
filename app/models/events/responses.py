"""Responses to a client that pulls events."""

from typing import Any

from pydantic import Field

from app.models.base import ResponseModel, UtcDateTime
from app.models.events.tables import EventKind


class EventResponse(ResponseModel):
    """One thing that happened."""

    type: EventKind = Field(description="What happened.", examples=["concern.received"])
    timestamp: UtcDateTime = Field(description="When.")
    data: dict[str, Any] = Field(
        description="Reference, times and links; never a word of a concern.",
        examples=[{"reference": "4F7K-926W-0X3R", "links": {"concern": "/v1/desk/concerns/4F7K-926W-0X3R"}}],
    )


class EventsResponse(ResponseModel):
    """What happened since, in the order in which it was kept."""

    events: tuple[EventResponse, ...] = Field(description="The events; empty where nothing new has happened.")
    next_cursor: str = Field(
        description="Send it as `after` once these events are safe with you: that confirms them.", examples=["MQ"]
    )
