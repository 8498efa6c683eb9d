"""The team's day in figures, and the metrics of the desk: both exact, and each behind its scope."""

import csv
import io
from collections.abc import Iterable
from typing import Annotated

from fastapi import Query, Response, Security
from prometheus_client import CONTENT_TYPE_LATEST

from app.http.auth import AuditorDep, ReaderDep, require_client
from app.http.context import EngineDep, NowDep, SessionDep, WriterDep
from app.http.metrics import desk_metrics
from app.http.params import IN_PLAIN_DIGITS, GuidanceRouter
from app.http.problems import RESPONSES_OF_CLIENT_ROUTES
from app.http.responses import Responses
from app.models.clients import Scope
from app.models.figures import FiguresResponse
from app.services.entries import count_additions
from app.services.figures import SMALLEST_COUNT, Figure, read_figures, read_statistics
from app.services.inbox import count_states

router = GuidanceRouter(prefix="/v1/desk", responses=RESPONSES_OF_CLIENT_ROUTES)


@router.get("/figures", tags=["Desk"], summary="Get daily figures")
def read_days(
    engine: EngineDep,
    writer: WriterDep,
    actor: ReaderDep,
    days: Annotated[
        int, Query(ge=1, le=92, description="Number of days, up to today.", examples=[14]), IN_PLAIN_DIGITS
    ] = 14,
) -> FiguresResponse:
    """Concerns received, acknowledged and closed on each day, and waiting and overdue at its end.

    Days are in London time. Additions are counted in the summary.
    """
    return FiguresResponse(days=read_figures(engine, writer, days=days, actor=actor))


@router.get(
    "/metrics",
    tags=["Desk"],
    operation_id="read_desk_metrics",
    summary="Get the metrics of the desk",
    dependencies=[Security(require_client, scopes=[Scope.METRICS])],
    response_class=Response,
    responses={
        200: {
            "content": {"text/plain": {"example": 'guidance_desk_concerns{state="overdue"} 1.0'}},
            "description": "Prometheus text.",
        }
    },
)
def read_exact_metrics(session: SessionDep, now: NowDep) -> Response:
    """Exact counts of concerns by state and of additions, in the Prometheus text format.

    The public `/metrics` omits numbers under five. Reads are not recorded, because no concern is shown.
    """
    counts = count_states(session, now=now) | count_additions(session, now=now)
    headers = {"Content-Type": CONTENT_TYPE_LATEST}
    return Response(desk_metrics(counts), headers=headers)


# Statistics for auditors.


STATISTICS_COLUMNS = ("month", "measure", "value", "concerns")
NO_VALUE = "(none)"
HIDDEN = f"fewer than {SMALLEST_COUNT}, or hidden with such a figure"
CSV_MEDIA = "text/csv; charset=utf-8"
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
    """Concerns by month of receipt (UTC), guide, state, immediate danger, referral source and outcome.

    Counts under five are hidden, as are others from which they could be derived. Tests are not counted.
    """
    sheet = _csv_of(read_statistics(engine, writer, actor=actor))
    headers = {"Content-Disposition": 'attachment; filename="statistics.csv"'}
    return Response(sheet, media_type=CSV_MEDIA, headers=headers)


def _csv_of(figures: Iterable[Figure]) -> bytes:
    """Return the figures in UTF-8, with a header row. Every value is a code of this service."""
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    writer.writerow(STATISTICS_COLUMNS)
    for month, measure, value, count in figures:
        writer.writerow([month, measure, NO_VALUE if value is None else value, HIDDEN if count is None else count])
    return sheet.getvalue().encode()
