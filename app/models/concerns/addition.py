"""Additions: what a reporter sends after the concern itself."""

from typing import Any

from pydantic import Field

from app.models.base import UtcDateTime
from app.models.concerns.concern import ImmediateDanger
from app.models.concerns.detail import ConcernDetail
from app.models.concerns.field_types import ReporterInput, optional_field
from app.models.concerns.receipts import ConcernIdentity, Help

ADDITION_EXAMPLE: dict[str, Any] = {
    "immediate_danger": "no",
    "concern": {"narrative": "Alex Example came home this evening and is safe with an aunt."},
}


class Addition(ReporterInput):
    """More about a concern: only the narrative is required. It is sealed like the concern itself."""

    immediate_danger: ImmediateDanger | None = optional_field(
        "Is a child in immediate danger now?",
        "Whether a child is in immediate danger now. If so, call 999 first.",
        "no",
    )
    concern: ConcernDetail = Field(
        title="What do you want to add?", description="What has happened since, or what you did not say before."
    )


class AdditionReceipt(Help, ConcernIdentity):
    """The addition is kept: on the disk, sealed to the duty team."""

    added_at: UtcDateTime = Field(description="When this service kept the addition.")
    acknowledge_by: UtcDateTime = Field(
        examples=["2026-11-25T09:30:00Z"],
        description="When to expect an acknowledgement of the addition at the latest: one working day on, like that of "
        "the concern. If none has come, call the duty team.",
    )
