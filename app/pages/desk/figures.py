"""The page with the desk's figures of the last two weeks, as a chart."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Response

from app.models.desk.figures import FiguresOfDay
from app.pages.frame import DeskRouter, ReaderVisitDep
from app.services.desk.figures import read_figures

router = DeskRouter()
DAYS_SHOWN = 14
HEIGHT, WIDTH_OF_DAY, WIDTH_OF_BAR = 100, 40, 14
"""Units of the chart."""


@dataclass(frozen=True)
class Bars:
    """Heights in units of the chart. `overdue` is at the foot of `waiting`."""

    x: int
    day: dt.date
    received: int
    waiting: int
    overdue: int


@router.get("/day")
def read_figures_of_days(visit: ReaderVisitDep) -> Response:
    engine, writer = visit.context.engine, visit.context.writer
    figures = read_figures(engine, writer, days=DAYS_SHOWN, actor=visit.actor)
    days = figures.days
    highest = max(max(each.received, each.waiting) for each in days)
    return visit.page(
        "desk_day.html",
        restricted=figures,
        today=days[-1],
        days=days[::-1],
        highest=highest,
        bars=bars_of(days, highest),
        height=HEIGHT,
        width=WIDTH_OF_DAY * len(days),
        width_of_bar=WIDTH_OF_BAR,
    )


def bars_of(days: Sequence[FiguresOfDay], highest: int) -> list[Bars]:
    """Scale the bars so that `highest` is as high as the chart."""
    return [
        Bars(
            place * WIDTH_OF_DAY,
            each.day,
            *(round(HEIGHT * count / max(highest, 1)) for count in (each.received, each.waiting, each.overdue)),
        )
        for place, each in enumerate(days)
    ]
