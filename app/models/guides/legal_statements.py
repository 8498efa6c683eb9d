"""The register of statements about the law. People compare each statement with its source regularly."""

import datetime as dt
from enum import StrEnum

from pydantic import Field, field_validator, model_validator

from app.errors import CodedValueError, FaultCode
from app.models.base import FullDate, RequestModel, Text, WebAddress, expect_each_once
from app.models.guides.items import ItemId


class OnPages(StrEnum):
    """The ids of the statements that pages print. The register must contain all of them."""

    DUTY_TO_CHILDREN = "duty-to-children"
    PUBLIC_TASK = "public-task"
    SPECIAL_CATEGORIES = "special-categories"
    NOT_CONSENT = "not-consent"
    SHARING = "sharing"
    ACCESS_BY_OTHERS = "access-by-others"
    DATA_RIGHTS = "data-rights"
    DATA_COMPLAINTS = "data-complaints"
    REGULATOR = "regulator"
    DUTY_TO_REPORT = "duty-to-report"
    ACCESSIBILITY_LEVEL = "accessibility-level"
    ACCESSIBILITY_ENFORCEMENT = "accessibility-enforcement"


class LegalSource(RequestModel):
    """The law or guidance that a statement is based on."""

    title: Text = Field(description="Title of the source, and the part of the source.")
    publisher: Text = Field(description="Publisher.")
    version: Text = Field(description="The text of the source: the day from which it is in force, or its edition.")
    url: WebAddress | None = Field(default=None, description="URL, if known.")


class LegalStatement(RequestModel):
    """A statement about the law: a sentence that pages print, other text that rests on the same source, or both."""

    id: ItemId
    sentence: Text | None = Field(default=None, description="The sentence that pages print.")
    covers: tuple[Text, ...] = Field(default=(), description="Other texts that rest on the source.")
    source: LegalSource
    found: Text = Field(description="How the authors of this program found the statement.")
    verified_on: FullDate | None = Field(
        default=None, description="The day on which a person of the council last compared it with the source."
    )
    recheck_by: FullDate = Field(description="The day by which to compare it again.")

    @model_validator(mode="after")
    def _says_something(self) -> "LegalStatement":
        if self.sentence is None and not self.covers:
            raise CodedValueError(FaultCode.INVALID, "a statement needs a `sentence`, or what it `covers`")
        return self

    def is_due(self, today: dt.date, *, within: dt.timedelta) -> bool:
        """Return True if the statement was never compared with its source, or must be compared again soon.

        Soon means no later than `within` after `today`.
        """
        return self.verified_on is None or self.recheck_by <= today + within


class LegalStatementList(RequestModel):
    """The register of legal statements."""

    statements: tuple[LegalStatement, ...] = Field(min_length=1)

    @field_validator("statements")
    @classmethod
    def _has_each_once(cls, statements: tuple[LegalStatement, ...]) -> tuple[LegalStatement, ...]:
        expect_each_once([each.id for each in statements], "every `id` must be different")
        printed = {each.id for each in statements if each.sentence is not None}
        if absent := [each.value for each in OnPages if each.value not in printed]:
            raise CodedValueError(FaultCode.INVALID, f"pages print sentences that are not here: {', '.join(absent)}")
        return statements
