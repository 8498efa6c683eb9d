"""Settings of how the service reaches people: reporters through the receipt, the duty team by email."""

from pydantic import BaseModel, Field

from app.config.formats import Whole


class ContactSettings(BaseModel):
    """A part of the settings."""

    come_back_days: Whole = Field(
        default=2,
        ge=1,
        le=20,
        description="Working days after which a receipt says that its reporter should look again: the duty team may "
        "have left a question.",
    )
