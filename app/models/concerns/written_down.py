"""Concerns and additions that a worker writes down: requests and the receipt."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from app.errors import CodedValueError, FaultCode
from app.models.base import MAX_NUMBER, RequestModel, Slug, UtcDateTime
from app.models.concerns.additions import ADDITION_EXAMPLE, Addition
from app.models.concerns.channels import CAME_AT, CHANNEL, RECEIVED_BY, Channel, WorkersChannel
from app.models.concerns.concern import FORM_VERSION, Concern, ImmediateDanger
from app.models.concerns.entries import (
    EXAMPLE_SEALED,
    MAX_RECIPIENTS,
    PADDED,
    RECIPIENT,
    AgeRecipient,
    age_file_within,
    base64_length,
    expect_one_text,
)
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.models.concerns.fields import ReferralSourceCode
from app.models.concerns.receipts import AlsoCall, ComeBack, ConcernIdentity, EditionPin, GuideChoice, Help
from app.models.references import EXAMPLE_REFERENCE, find_reference

MAX_TEXT_FILE_BYTES = 650_000
"""Largest sealed concern or addition: a request has room for it and a card, both in base64."""
MAX_CARD_FILE_BYTES = 65_536
EXAMPLE_CAME_AT = "2026-11-24T08:05:00Z"
WRITTEN_CONCERN_EXAMPLE: dict[str, Any] = {
    "channel": "call",
    "came_at": EXAMPLE_CAME_AT,
    "submission": SMALLEST_EXAMPLE,
}
SEALED_CONCERN_EXAMPLE: dict[str, Any] = {
    "channel": "call",
    "came_at": EXAMPLE_CAME_AT,
    "sealed": EXAMPLE_SEALED,
    "recipients": [RECIPIENT],
    "reference": EXAMPLE_REFERENCE,
    "immediate_danger": "no",
    "form_version": FORM_VERSION,
}
WRITTEN_ADDITION_EXAMPLE: dict[str, Any] = {
    "channel": "call",
    "came_at": EXAMPLE_CAME_AT,
    "addition": ADDITION_EXAMPLE,
}
ONLY_WITH_SEALED = "give {} only with `sealed`"
DANGER_ASKED = "ask whether a child is in immediate danger, and give the answer"
NOT_A_REFERENCE = "must be a reference with a correct check character"


SealedText = Annotated[
    str,
    StringConstraints(max_length=base64_length(MAX_TEXT_FILE_BYTES)),
    AfterValidator(age_file_within(MAX_TEXT_FILE_BYTES)),
]

SealedCard = Annotated[
    str,
    StringConstraints(max_length=base64_length(MAX_CARD_FILE_BYTES)),
    AfterValidator(age_file_within(MAX_CARD_FILE_BYTES)),
]


def _check_reference(typed: str) -> str:
    found = find_reference(typed)
    if found is None:
        raise CodedValueError(FaultCode.WRONG_FORM, NOT_A_REFERENCE)
    return found


NewReference = Annotated[str, StringConstraints(max_length=60), AfterValidator(_check_reference)]


class WrittenDown(RequestModel):
    """How and when it came, and its text if the worker's computer encrypted it."""

    channel: WorkersChannel = Field(description="How it came.", examples=["call"])
    came_at: UtcDateTime = Field(
        description="When it came: not in the future, and within the last 90 days. The time for an acknowledgement "
        "starts then.",
        examples=[EXAMPLE_CAME_AT],
        json_schema_extra={"maxLength": 40},
    )
    sealed: SealedText | None = Field(
        default=None,
        description="Instead of the text: a base64 age file encrypted to every key of `GET /v1/desk/recipients`, so "
        "that this service never has the text. It contains JSON: `reference`, and `submission` or `addition`, "
        f"{PADDED}.",
        examples=[EXAMPLE_SEALED],
    )
    recipients: tuple[AgeRecipient, ...] | None = Field(
        default=None,
        description="With `sealed`: the keys that the file is encrypted to. They must be those of this service.",
        max_length=MAX_RECIPIENTS,
        examples=[[RECIPIENT]],
    )
    card: SealedCard | None = Field(
        default=None,
        description="With `sealed`, optional: the card of this text as a base64 age file, encrypted to the same keys. "
        "It contains JSON, followed by spaces to 512, 1,024, 2,048 or a multiple of 4,096 bytes.",
        examples=[EXAMPLE_SEALED],
    )
    immediate_danger: ImmediateDanger | None = Field(
        default=None,
        description="With `sealed`: whether a child is in immediate danger. Otherwise it is in the text.",
        examples=["no"],
    )

    restricted: bool = Field(
        default=False,
        strict=True,
        description="With `sealed`: true if the text says that it is about someone who works for the council "
        "(`concern.about_council_staff` is `yes`). Only leads may open the concern then.",
        examples=[False],
    )

    def expect_whole(self, text: object, name: str) -> None:
        """Raise `CodedValueError` unless there is either a text, or a sealed file with its own fields.

        `text` is the value of the field `name`. `recipients` and `immediate_danger` come with a file only, as do `card`
        and `restricted`.
        """
        expect_one_text(self.sealed, self.recipients, text, name)
        if self.sealed is not None and self.immediate_danger is None:
            raise CodedValueError(FaultCode.REQUIRED, DANGER_ASKED)
        if self.sealed is None and (self.card or self.immediate_danger or self.restricted):
            names = "`card`, `immediate_danger` and `restricted`"
            raise CodedValueError(FaultCode.INVALID, ONLY_WITH_SEALED.format(names))


class WrittenConcern(WrittenDown):
    """A concern that a worker writes down: its text, or a file encrypted on the worker's computer.

    The file contains JSON: `reference`, and `submission` as in the field of that name.
    """

    wants_code: bool = Field(
        default=False,
        strict=True,
        description="True if the caller wants a status token, to follow the concern and to read messages. It is in "
        "the response, only once. Otherwise there is no token, and no message can be sent.",
        examples=[False],
    )
    submission: Concern | None = Field(
        default=None,
        description="The concern, as for `POST /v1/concerns`. It is encrypted here.",
        examples=[SMALLEST_EXAMPLE],
    )
    reference: NewReference | None = Field(
        default=None,
        description="With `sealed`: the new reference that is in the file. Choose it at random: 11 characters of "
        "`02346789FKMRWXYZ`, then the check character of ISO 7064 MOD 17,16 over this alphabet.",
        examples=[EXAMPLE_REFERENCE],
    )
    guide: Slug | None = Field(
        default=None,
        description="With `sealed`: the guide. Defaults to the default guide.",
        examples=["child-sexual-exploitation"],
    )
    edition: Annotated[int, Field(strict=True, ge=1, le=MAX_NUMBER)] | None = Field(
        default=None, description="With `sealed`: the edition. Defaults to the current one.", examples=[1]
    )
    form_version: Annotated[int, Field(strict=True, ge=1, le=FORM_VERSION)] | None = Field(
        default=None, description="With `sealed`: the version of the form that the file follows.", examples=[1]
    )
    referral_source: ReferralSourceCode | None = Field(
        default=None, description="With `sealed`: a code of the list `referral-source`.", examples=["2A"]
    )

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        self.expect_whole(self.submission, "submission")
        needed, more = (self.reference, self.form_version), (self.guide, self.edition, self.referral_source)
        if self.sealed is not None and None in needed:
            raise CodedValueError(FaultCode.REQUIRED, "give `reference` and `form_version` with `sealed`")
        if self.sealed is None and any(each is not None for each in (*needed, *more)):
            names = "`reference`, `form_version`, `guide`, `edition` and `referral_source`"
            raise CodedValueError(FaultCode.INVALID, ONLY_WITH_SEALED.format(names))
        return self


class WrittenAddition(WrittenDown):
    """An addition that a worker writes down: its text, or a file encrypted on the worker's computer.

    The file contains JSON: `reference`, and `addition` as in the field of that name.
    """

    addition: Addition | None = Field(
        default=None,
        description="The addition, as for `POST /v1/concerns/{reference}/additions`, with `immediate_danger`. It is "
        "encrypted here.",
        examples=[ADDITION_EXAMPLE],
    )

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        self.expect_whole(self.addition, "addition")
        if self.addition is not None and self.addition.immediate_danger is None:
            raise CodedValueError(FaultCode.REQUIRED, DANGER_ASKED)
        return self


class WrittenReceipt(AlsoCall, Help, ComeBack, GuideChoice, EditionPin, ConcernIdentity):
    """A concern that a worker wrote down is stored on disk, encrypted for the duty team."""

    channel: Channel = Field(description=CHANNEL, examples=["call"])
    came_at: UtcDateTime = Field(description=CAME_AT, examples=[EXAMPLE_CAME_AT])
    received_by: str | None = Field(description=RECEIVED_BY, examples=["example-desk/Robin Example"])
    status_token: str | None = Field(
        description="The token of the caller, as in the receipt of a reporter; null if none was wanted.",
        examples=[None],
    )
    receipt: str = Field(
        description="Signed receipt (JWS, EdDSA). Verify it offline with /.well-known/jwks.json.",
        examples=["eyJhbGciOiJFZERTQSJ9.eyJqdGkiOiI0RjdLIn0.c2lnbmF0dXJl"],
    )
