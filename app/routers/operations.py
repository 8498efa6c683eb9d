"""Routes for operators: health and metrics."""

import shutil

from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.models.reference_responses import Health
from app.services.events.deliveries import count_deliveries
from app.store.inbox import count_states
from app.web.auth import PUBLIC
from app.web.context import AppContext, ContextDep, NowDep, SessionDep
from app.web.middleware.forwarded import is_forwarded_by_stranger
from app.web.operation_state import read_operation_state
from app.web.problem_responses import response_example
from app.web.router import GuidanceRouter

router = GuidanceRouter(tags=["Operations"], dependencies=[PUBLIC])

HEALTHY = "ok"
UNAVAILABLE = 503
MIN_FREE_BYTES = 1_000_000  # the largest concern that is accepted
FAILING = {
    "content": {
        "application/json": {"example": {"status": "unavailable", "checks": {"database": "ok", "writer": "stopped"}}}
    }
}


@router.get("/health/live", summary="Is the process alive?", responses=response_example(checks={}))
async def read_liveness() -> Health:
    """Answers as long as the process does."""
    return Health(status=HEALTHY, checks={})


@router.get(
    "/health/ready",
    summary="Can it serve?",
    responses={UNAVAILABLE: {"model": Health, "description": "A check fails."} | FAILING},
)
def read_readiness(request: Request, response: Response, context: ContextDep) -> Health:
    """Whether guidance can be read and concerns can be kept: 503 where not.

    At most every five seconds each process writes an invented concern, and takes it back before anybody can read it.
    A request that comes through a proxy which is not trusted is answered with the warning `proxy`.
    """
    checks = {"database": _database(context), "concerns": _concerns(context), "writer": _writer(context)}
    checks |= {name: worker.state.value for worker in context.workers for name in worker.names}
    if context.settings.database_url is None:
        checks["disk"] = _disk(context)
    if context.draining.is_set():
        checks["process"] = "stopping"
    is_ready = set(checks.values()) == {HEALTHY}
    if not is_ready:
        response.status_code = UNAVAILABLE
    warnings = {name: "broken" for name, is_broken in context.invariants.broken.items() if is_broken}
    if is_forwarded_by_stranger(request.scope):
        warnings["proxy"] = "not trusted"
    return Health(status=HEALTHY if is_ready else "unavailable", checks=checks, warnings=warnings)


@router.get(
    "/metrics",
    summary="Read the metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"example": "guidance_requests_total 1.0"}}, "description": "Prometheus text."}
    },
)
def read_metrics(context: ContextDep, session: SessionDep, now: NowDep) -> Response:
    """Counts and times of requests, in the Prometheus text format. No word of any concern stands here."""
    metrics = context.metrics.text(
        waiting=context.writer.waiting,
        concerns=count_states(session, now=now),
        deliveries=count_deliveries(session),
        workers={name: (each.is_alive, each.seconds_since_beat) for each in context.workers for name in each.names},
        operation=read_operation_state(context, session, now=now),
        commit=context.settings.commit,
    )
    return Response(metrics, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _database(context: AppContext) -> str:
    try:
        with context.engine.connect() as connection:
            connection.execute(text("SELECT number FROM generation"))
    except SQLAlchemyError:
        return "no answer"
    return HEALTHY


def _disk(context: AppContext) -> str:
    try:
        return HEALTHY if shutil.disk_usage(context.settings.data_dir).free >= MIN_FREE_BYTES else "full"
    except OSError:
        return "no answer"


def _concerns(context: AppContext) -> str:
    return HEALTHY if context.writer.is_alive and context.concern_trial.succeeds() else "cannot be stored"


def _writer(context: AppContext) -> str:
    if not context.writer.is_alive:
        return "stopped"
    return "cannot write" if context.writer.has_failed else HEALTHY
