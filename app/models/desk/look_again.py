"""The days on which a concern is to be looked at again: one for the team, and one for each person."""

import datetime as dt
from enum import StrEnum

from pydantic import Field
from sqlalchemy import Index
from sqlmodel import Field as TableField
from sqlmodel import SQLModel

from app.models.base import FullDate, RequestModel, ResponseModel
from app.models.references import EXAMPLE_REFERENCE

TEAM = ""
"""The day that the whole team sees."""


OFFICER = "\n"
"""The day by which to tell the designated officer. No name has it."""


class Whose(StrEnum):
    """Which day: the day of the `team`, your `own`, or the day by which to tell the designated `officer` (LADO)."""

    TEAM = "team"
    OWN = "own"
    OFFICER = "officer"


class LookAgain(RequestModel):
    """Sets the day on which a concern is to be looked at again, or removes it."""

    day: FullDate | None = Field(description="The day, in London; null removes it.", examples=["2026-12-03"])
    whose: Whose = Field(
        default=Whose.TEAM,
        description="The team's day, your own, or the day by which to tell the designated officer. For the "
        "officer, null says that they were told.",
        examples=["own"],
    )


class LookAgainState(ResponseModel):
    """The days on which a concern is to be looked at again. No email is sent, and there is no event."""

    reference: str = Field(description="The concern's reference.", examples=[EXAMPLE_REFERENCE])
    team: dt.date | None = Field(description="The team's day; null if none is set.", examples=["2026-12-03"])
    officer: dt.date | None = Field(
        default=None,
        description="The day by which to tell the designated officer; null if they were told, or need not be.",
        examples=[None],
    )
    own: dt.date | None = Field(description="Your own day; null if none is set.", examples=[None])


class LookAgainRow(SQLModel, table=True):
    """A day to look again. `person` is the only one who sees it, or `TEAM`."""

    __tablename__ = "look_again"
    __table_args__ = (Index("ix_look_again_person", "person", "day"),)

    reference: str = TableField(primary_key=True, foreign_key="concerns.reference")
    person: str = TableField(primary_key=True)
    day: dt.date
