"""Additions that a reporter sends after the concern itself."""

from typing import Any

from pydantic import Field

from app.models.base import UtcDateTime
from app.models.concerns.concern import ConcernDetail, ImmediateDanger
from app.models.concerns.fields import ReporterInput, optional_field
from app.models.concerns.receipts import PROMISED, CallFrom, ConcernIdentity, Help, Promised

ADDITION_EXAMPLE: dict[str, Any] = {
    "immediate_danger": "no",
    "concern": {"narrative": "Alex Example came home this evening and is safe with an aunt."},
}


class Addition(ReporterInput):
    """More about a concern, encrypted in the same way. Only the narrative is required."""

    immediate_danger: ImmediateDanger | None = optional_field(
        "Is a child in immediate danger now?",
        "Whether a child is in immediate danger now. If so, call 999 first.",
        "no",
    )
    concern: ConcernDetail = Field(
        title="What do you want to add?", description="What has happened since, or what you did not say before."
    )


class AdditionReceipt(Help, ConcernIdentity):
    """The addition is stored on disk, encrypted for the duty team."""

    added_at: UtcDateTime = Field(description="Time when the addition was stored.")
    acknowledge_by: UtcDateTime = Field(
        examples=["2026-11-25T09:30:00Z"],
        description="Latest time by which the addition should be acknowledged: within one working day, or within "
        "minutes or "
        "hours if it says that a child is or may be in immediate danger. If it has not been by then, call the "
        "duty team.",
    )
    acknowledge_by_promised: Promised = PROMISED
    call_from: CallFrom = None
