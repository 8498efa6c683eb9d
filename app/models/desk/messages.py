"""Messages to a reporter, as the desk sends and lists them. The desk cannot read one again."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from app.faults import CodedValueError, FaultCode
from app.models.base import RequestModel, ResponseModel, Text, UtcDateTime
from app.models.concerns.receipts import EXAMPLE_REFERENCE, READ_AT
from app.models.desk.sealed_files import EXAMPLE_SEALED, age_file_within, base64_length
from app.models.links import Links, desk_messages_path

MAX_SEALED_BYTES = 32_768
SealedMessage = Annotated[
    str,
    StringConstraints(max_length=base64_length(MAX_SEALED_BYTES)),
    AfterValidator(age_file_within(MAX_SEALED_BYTES)),
]


class Message(RequestModel):
    """A message to the reporter: its words, or a file that the worker's own machine sealed to `recipient`."""

    text: Text | None = Field(
        default=None,
        description="The words. They are sealed here, and this service cannot read them again.",
        examples=["Which school does Alex Example go to?"],
    )
    sealed: SealedMessage | None = Field(
        default=None,
        description="Instead of `text`: an age file sealed to `recipient`, in base64, so that this service never has "
        "the words. `guidance desk ask` sends this.",
        examples=[EXAMPLE_SEALED],
    )

    @model_validator(mode="after")
    def _has_one(self) -> "Message":
        if (self.text is None) == (self.sealed is None):
            raise CodedValueError(FaultCode.REQUIRED, "give either `text` or `sealed`")
        return self


class MessageEntry(ResponseModel):
    """A message that was sent, without its words."""

    number: int = Field(description="Its place, from 1.", examples=[1])
    sent_at: UtcDateTime = Field(description="When it was stored.")
    read_at: UtcDateTime | None = Field(description=READ_AT, examples=[None])
    answered_by: int | None = Field(
        description="The number of the first addition after the reporter read it; null until there is one.",
        examples=[None],
    )


class MessagesResponse(ResponseModel):
    """What the desk sent to the reporter of a concern, in order, and the key that a further message is sealed to."""

    messages: tuple[MessageEntry, ...] = Field(description="The messages, without their words.")
    recipient: str = Field(
        description="The age recipient of the reporter's code.",
        examples=["age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"],
    )
    links: Links = Field(
        description="Paths of this API, by relation.", examples=[{"self": desk_messages_path(EXAMPLE_REFERENCE)}]
    )
