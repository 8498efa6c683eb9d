"""Routes of the daily figures of the last days, and of the metrics of the desk."""

from typing import Annotated

from fastapi import Query, Response, Security
from prometheus_client import CONTENT_TYPE_LATEST

from app.http.auth import ReaderDep, require_actor
from app.http.context import EngineDep, SessionDep, WriterDep
from app.http.metrics import desk_metrics
from app.http.params import IN_PLAIN_DIGITS
from app.http.problems import RESPONSES_OF_CLIENT_ROUTES
from app.http.routes import GuidanceRouter
from app.models.access.clients import Scope
from app.models.desk.figures import FiguresResponse
from app.services.audit.audit_log import Actor
from app.services.desk.figures import read_figures
from app.services.desk.inbox import count_work

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

    Days are in London time. Additions are counted in the summary. Restricted concerns that you may not open are counted
    for leads only.
    """
    return read_figures(engine, writer, days=days, actor=actor)


@router.get(
    "/metrics",
    tags=["Desk"],
    operation_id="read_desk_metrics",
    summary="Get the metrics of the desk",
    response_class=Response,
    responses={
        200: {
            "content": {"text/plain": {"example": 'guidance_desk_concerns{state="overdue"} 1.0'}},
            "description": "Prometheus text.",
        }
    },
)
def read_exact_metrics(
    session: SessionDep, actor: Annotated[Actor, Security(require_actor, scopes=[Scope.METRICS])]
) -> Response:
    """Exact counts of concerns by state and of additions, in the Prometheus text format.

    Restricted concerns that the client may not open count only in the states `restricted` and `restricted_overdue`,
    unless it acts for a lead. The public `/metrics` omits numbers under five. Reads are not recorded, because no
    concern is shown.
    """
    counts = count_work(session, actor)
    headers = {"Content-Type": CONTENT_TYPE_LATEST}
    return Response(desk_metrics(counts), headers=headers)
