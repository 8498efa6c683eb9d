"""Responses of the desk about what a reporter added to a concern."""

from typing import Any

from pydantic import Field

from app.models.base import ResponseModel, UtcDateTime
from app.models.concerns.receipts import EXAMPLE_REFERENCE
from app.models.links import Links, desk_addition_path

ADDITION_LINKS = Field(
    description="Paths of this API, by relation.", examples=[{"self": desk_addition_path(EXAMPLE_REFERENCE, 1)}]
)
WORDS = {"immediate_danger": "no", "concern": {"narrative": "Alex Example came home at six."}}


class AdditionEntry(ResponseModel):
    """What the reporter added: its words, and its own acknowledgement."""

    number: int = Field(description="Its place, from 1.", examples=[1])
    received_at: UtcDateTime = Field(description="When it was kept.")
    immediate_danger: str | None = Field(
        description="What the reporter said with it: yes, no or not_sure; null for nothing.", examples=["no"]
    )
    acknowledge_by: UtcDateTime = Field(
        description="When the reporter may expect its acknowledgement at the latest.", examples=["2026-11-25T09:30:00Z"]
    )
    acknowledged_at: UtcDateTime | None = Field(
        description="When a social worker acknowledged it; null while it waits.", examples=[None]
    )
    overdue: bool = Field(description="Whether it still waits after `acknowledge_by`.", examples=[False])
    addition: dict[str, Any] | None = Field(
        description="The words, as they were sent; null where this service holds no identity.", examples=[WORDS]
    )
    links: Links = ADDITION_LINKS


class OpenedAddition(AdditionEntry):
    """What the reporter added, opened."""

    addition: dict[str, Any] = Field(description="The words, as they were sent.", examples=[WORDS])


class AdditionsResponse(ResponseModel):
    """One page of what was added, in the order of arrival."""

    additions: tuple[AdditionEntry, ...] = Field(description="The additions.")
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.", examples=[None])
