"""Messages from the desk, as their reporter gets them."""

from pydantic import Field

from app.models.base import ResponseModel
from app.models.concerns.receipts import EXAMPLE_REFERENCE, MessageStatus


class ReceivedMessage(MessageStatus):
    """A message from the duty team, opened with the status token."""

    message: str | None = Field(
        description="The words; null where they cannot be read. Then telephone, and give the reference.",
        examples=["Which school does Alex Example go to?"],
    )


class ReceivedMessages(ResponseModel):
    """The messages of the duty team to the reporter, in order. An answer is an addition to the concern."""

    reference: str = Field(description="The concern's reference.", examples=[EXAMPLE_REFERENCE])
    messages: tuple[ReceivedMessage, ...] = Field(description="The messages.")
