"""The team's day in figures, and the metrics of the desk: both exact, and each behind its scope."""

from typing import Annotated

from fastapi import Query, Response, Security
from prometheus_client import CONTENT_TYPE_LATEST

from app.models.clients import Scope
from app.models.desk.figures import FiguresResponse
from app.services.desk.figures import read_figures
from app.services.entries import count_additions
from app.store.inbox import count_states
from app.web.auth import ReaderDep, require_client
from app.web.context import EngineDep, NowDep, SessionDep, WriterDep
from app.web.desk_metrics import desk_metrics
from app.web.problem_responses import RESPONSES_OF_CLIENT_ROUTES
from app.web.query_params import IN_PLAIN_DIGITS
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix="/v1/desk", tags=["Desk"], responses=RESPONSES_OF_CLIENT_ROUTES)


@router.get("/figures", summary="Read the figures of days")
def read_days(
    engine: EngineDep,
    writer: WriterDep,
    actor: ReaderDep,
    now: NowDep,
    days: Annotated[
        int, Query(ge=1, le=92, description="How many days, up to today.", examples=[14]), IN_PLAIN_DIGITS
    ] = 14,
) -> FiguresResponse:
    """How many concerns came, were acknowledged and closed on each day, and waited and were overdue at its end.

    Days are those of London. Additions are in the summary.
    """
    return FiguresResponse(days=read_figures(engine, writer, days=days, actor=actor, at=now))


@router.get(
    "/metrics",
    operation_id="read_desk_metrics",
    summary="Read the metrics of the desk",
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
    """The concerns in each state, and additions, counted exactly, in the Prometheus text format.

    `/metrics` is public, and leaves out numbers under five. No read of this is on the record: it shows no concern.
    """
    counts = count_states(session, now=now) | count_additions(session, now=now)
    headers = {"Content-Type": CONTENT_TYPE_LATEST}
    return Response(desk_metrics(counts), headers=headers)
