"""Exact daily figures, for the desk only."""

import datetime as dt

from pydantic import Field

from app.models.base import ResponseModel


class FiguresOfDay(ResponseModel):
    """Figures for one day in London; for today, so far. Tests are not counted."""

    day: dt.date = Field(description="The day, in London.", examples=["2026-11-24"])
    received: int = Field(description="Concerns received.", examples=[4])
    acknowledged: int = Field(description="Concerns acknowledged.", examples=[3])
    closed: int = Field(
        description="Concerns closed. A closing that was taken back by reopening does not count.", examples=[1]
    )
    waiting: int = Field(description="Unacknowledged concerns at the end of the day.", examples=[2])
    overdue: int = Field(description="Of those, the number past their `acknowledge_by`.", examples=[0])


class FiguresResponse(ResponseModel):
    """Figures by day, oldest first."""

    days: tuple[FiguresOfDay, ...] = Field(description="The days.")
    restricted: int = Field(
        default=0, description="Open concerns that you may not open, as in the summary.", examples=[0]
    )
    restricted_overdue: int = Field(default=0, description="Of those, the number that are overdue.", examples=[0])
