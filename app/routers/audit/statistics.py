"""Routes of statistics, for auditors."""

from fastapi import Response

from app.http.auth import AuditorDep
from app.http.context import EngineDep, WriterDep
from app.http.problems import RESPONSES_OF_CLIENT_ROUTES
from app.http.responses import Responses, download
from app.http.routes import GuidanceRouter
from app.services.csv_sheets import CSV_MEDIA, csv_sheet
from app.services.desk.figures import SMALLEST_COUNT, read_statistics

router = GuidanceRouter(prefix="/v1/desk", responses=RESPONSES_OF_CLIENT_ROUTES)
STATISTICS_COLUMNS = ("month", "measure", "value", "concerns")
NO_VALUE = "(none)"
HIDDEN = f"fewer than {SMALLEST_COUNT}, or hidden with such a figure"
AS_STATISTICS: Responses = {
    200: {
        "description": "The figures, as CSV with a header row.",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "month,measure,value,concerns\r\n2026-11,guide,child-sexual-exploitation,12\r\n",
            }
        },
    }
}


@router.get(
    "/statistics.csv",
    tags=["Audit"],
    summary="Get statistics",
    response_class=Response,
    responses=AS_STATISTICS,
)
def read_statistics_csv(engine: EngineDep, writer: WriterDep, actor: AuditorDep) -> Response:
    """Concerns by month of receipt (UTC), guide, state, immediate danger, referral source, channel and outcome.

    Counts under five are hidden, and also the counts from which a hidden count could be derived. Tests are not counted.
    """
    rows = (
        (month, measure, NO_VALUE if value is None else value, HIDDEN if count is None else str(count))
        for month, measure, value, count in read_statistics(engine, writer, actor=actor)
    )
    return download(csv_sheet(STATISTICS_COLUMNS, rows), "statistics.csv", CSV_MEDIA)
