"""The team's day in figures: exact, and for the desk alone."""

import datetime as dt

from pydantic import Field

from app.models.base import ResponseModel


class FiguresOfDay(ResponseModel):
    """What came and went on one day in London, and what waited at its end; today's end is now. Tests do not count."""

    day: dt.date = Field(description="The day, in London.", examples=["2026-11-24"])
    received: int = Field(description="Concerns that came.", examples=[4])
    acknowledged: int = Field(description="Concerns that were acknowledged.", examples=[3])
    closed: int = Field(description="Concerns that were closed.", examples=[1])
    waiting: int = Field(description="Concerns that waited for an acknowledgement at the end of the day.", examples=[2])
    overdue: int = Field(description="Of those, the ones after their `acknowledge_by`.", examples=[0])


class FiguresResponse(ResponseModel):
    """The last days, the oldest first."""

    days: tuple[FiguresOfDay, ...] = Field(description="The days.")
