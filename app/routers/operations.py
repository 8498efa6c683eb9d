"""Operations: health and metrics."""

import shutil

from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.models.reference_responses import Health
from app.web.auth import PUBLIC
from app.web.responses import NO_STORE
from app.web.context import Now, OpenSession, Parts, TheParts
from app.web.problem_types import documented, shown
from app.web.router import Routes
from app.store.events import count_deliveries
from app.store.inbox import count_states

router = Routes(tags=["Operations"], dependencies=[PUBLIC])

OK = "ok"
UNAVAILABLE = 503
LEAST_FREE_BYTES = 1_000_000  # the largest concern that is taken
FAILING = {
    "content": {
        "application/json": {"example": {"status": "unavailable", "checks": {"database": "ok", "writer": "stopped"}}}
    }
}


@router.get("/health/live", summary="Is the process alive?", responses=documented() | shown(checks={}))
def read_liveness(response: Response) -> Health:
    """Answers as long as the process does."""
    response.headers["Cache-Control"] = NO_STORE
    return Health(status=OK, checks={})


@router.get(
    "/health/ready",
    summary="Can it serve?",
    responses=documented() | {UNAVAILABLE: {"model": Health, "description": "A check fails."} | FAILING},
)
def read_readiness(response: Response, parts: TheParts) -> Health:
    """Whether guidance can be read and concerns can be kept: 503 where not."""
    response.headers["Cache-Control"] = NO_STORE
    checks = {"database": _database(parts), "writer": _writer(parts)}
    if parts.settings.database_url is None:
        checks["disk"] = _disk(parts)
    if parts.draining.is_set():
        checks["process"] = "stopping"
    well = set(checks.values()) == {OK}
    if not well:
        response.status_code = UNAVAILABLE
    return Health(status=OK if well else "unavailable", checks=checks)


@router.get(
    "/metrics",
    summary="Read the metrics",
    response_class=Response,
    responses=documented()
    | {200: {"content": {"text/plain": {"example": "guidance_requests_total 1.0"}}, "description": "Prometheus text."}},
)
def read_metrics(parts: TheParts, session: OpenSession, now: Now) -> Response:
    """Counts and times of requests, in the Prometheus text format. No word of any concern stands here."""
    told = parts.metrics.text(
        waiting=parts.intake.writer.waiting,
        concerns=count_states(session, now=now),
        deliveries=count_deliveries(session),
    )
    return Response(told, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": NO_STORE})


def _database(parts: Parts) -> str:
    try:
        with parts.engine.connect() as connection:
            connection.execute(text("SELECT number FROM generation"))
    except SQLAlchemyError:
        return "no answer"
    return OK


def _disk(parts: Parts) -> str:
    try:
        return OK if shutil.disk_usage(parts.settings.data_dir).free >= LEAST_FREE_BYTES else "full"
    except OSError:
        return "no answer"


def _writer(parts: Parts) -> str:
    writer = parts.intake.writer
    if not writer.is_alive:
        return "stopped"
    return OK if writer.can_write else "cannot write"
