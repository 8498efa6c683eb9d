"""The checks and warnings of the running service, for readiness and for the status page."""

import os
import shutil

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.http.context import AppContext
from app.services.access.row_signing import access_keys_of
from app.services.concerns.rows import count_recent_tests, has_flood
from app.services.concerns.saved_forms import MAX_BYTES, NEARLY_FULL, measure_saved

HEALTHY = "ok"
MIN_FREE_BYTES = 1_000_000  # enough for the largest concern that is accepted


def check_health(context: AppContext) -> dict[str, str]:
    """Return the result of each check, by name: `HEALTHY`, or a short description of the problem.

    A success of `concerns`, which writes an invented concern and rolls it back, counts for five seconds.
    """
    keeps_concerns = context.writer.is_alive and context.store_probe.succeeds()
    concerns = HEALTHY if keeps_concerns else "cannot be stored"
    checks = {"database": _database(context), "concerns": concerns, "writer": _writer(context)}
    checks |= {name: worker.state.value for worker in context.workers for name in worker.names}
    if context.settings.database_url is None:
        checks["disk"] = _disk(context)
    if context.draining.is_set():
        checks["process"] = "stopping"
    return checks


def read_warnings(context: AppContext, checks: dict[str, str]) -> dict[str, str]:
    """Return what needs attention but does not stop the service, by name."""
    warnings = {name: "broken" for name, is_broken in context.invariants.broken.items() if is_broken}
    warnings |= dict.fromkeys(context.outside.failing, "fails") | context.watcher.warnings
    keys = access_keys_of(context.engine)
    if keys is not None and keys.has_refused:
        warnings["access-rows"] = "refused"
    if context.emergency_contacts.left_out():
        warnings["signposts"] = "of another council"
    if checks["database"] == HEALTHY:
        warnings |= _warnings_of_rows(context)
    return warnings


def _database(context: AppContext) -> str:
    if context.outage:
        return f"not opened since the start: {context.outage[0]}"
    try:
        with context.engine.connect() as connection:
            connection.execute(text("SELECT number FROM generation"))
    except SQLAlchemyError:
        return "no answer"
    return HEALTHY


def _warnings_of_rows(context: AppContext) -> dict[str, str]:
    now, warnings = context.clock(), {}
    try:
        with Session(context.engine) as session:
            if count_recent_tests(session, now=now):
                warnings["test-concerns"] = "received in the last day"
            if has_flood(session, now=now):
                warnings["many-concerns"] = "from few addresses in the last hour"
            if measure_saved(session)[1] >= NEARLY_FULL * MAX_BYTES:
                warnings["saved-forms"] = "nearly full"
    except SQLAlchemyError:
        return {}
    return warnings


def _disk(context: AppContext) -> str:
    folder = context.settings.data_dir
    try:
        if not os.access(folder, os.W_OK):
            return "read-only"
        return HEALTHY if shutil.disk_usage(folder).free >= MIN_FREE_BYTES else "full"
    except OSError:
        return "no answer"


def _writer(context: AppContext) -> str:
    if not context.writer.is_alive:
        return "stopped"
    return "cannot write" if context.writer.has_failed else HEALTHY
