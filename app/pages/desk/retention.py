"""The page of retention: the concerns due for erasure within 60 days, on hold, awaiting a second person, or erased."""

from typing import Annotated

from fastapi import Query, Response

from app.http.responses import download
from app.pages.frame import AuditVisitDep, DeskRouter
from app.services.csv_sheets import CSV_MEDIA
from app.services.desk.retention import RetentionPeriods
from app.services.desk.retention_lists import MOST_LISTED, RetentionList, read_list, read_list_sheet

router = DeskRouter()
LABELS = {
    RetentionList.DUE: "To be erased in 60 days",
    RetentionList.HELD: "On hold",
    RetentionList.REQUESTED: "Waiting for a second person",
    RetentionList.ERASED: "Erased",
}
ChosenList = Annotated[RetentionList, Query(alias="list")]


@router.get("/retention")
def read_retention(visit: AuditVisitDep, chosen: ChosenList = RetentionList.DUE) -> Response:
    """Show the first `MOST_LISTED`."""
    settings = visit.context.settings
    periods = RetentionPeriods.of(settings)
    found = read_list(visit.context.writer, chosen, periods, actor=visit.actor)
    lists = [each for each in LABELS if each is not RetentionList.REQUESTED or settings.two_people_erase]
    return visit.page(
        "desk_retention.html",
        lists=[(each, LABELS[each]) for each in lists],
        chosen=chosen,
        heading=LABELS[chosen],
        found=found[:MOST_LISTED],
        is_cut=len(found) > MOST_LISTED,
        periods=periods,
        today=visit.now.date(),
    )


@router.get("/retention.csv")
def read_retention_sheet(visit: AuditVisitDep, chosen: ChosenList = RetentionList.DUE) -> Response:
    periods = RetentionPeriods.of(visit.context.settings)
    sheet = read_list_sheet(visit.context.writer, chosen, periods, actor=visit.actor)
    return download(sheet, f"retention-{chosen}.csv", CSV_MEDIA)
