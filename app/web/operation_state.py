"""How the process that answers works now, gathered for the metrics."""

import datetime as dt
import statistics
from collections.abc import Mapping

from sqlmodel import Session

from app.services.operations.invariant_worker import InvariantWorker
from app.store.acknowledgements import times_to_acknowledge
from app.store.outbox import oldest_waiting
from app.web.context import AppContext
from app.web.metrics import SMALLEST_SHOWN
from app.web.operation_gauges import OperationState

RECENT = dt.timedelta(days=30)
DECILES = {"0.5": 4, "0.9": 8}
"""The quantiles that are shown, and their places among the nine that make ten parts."""


def read_operation_state(context: AppContext, session: Session, *, now: dt.datetime) -> OperationState:
    """Read the state of the process, and that of the database."""
    store = context.response_cache.store
    return OperationState(
        writer_alive=context.writer.is_alive,
        cached_responses=len(store),
        cached_bytes=store.used_bytes,
        outbox_seconds={name: (now - at).total_seconds() for name, at in oldest_waiting(session).items()},
        acknowledgement_seconds=_quantiles(times_to_acknowledge(session, since=now - RECENT)),
        broken=broken_invariants(context),
        checked_at={name: at.timestamp() for name, at in checked_invariants(context).items()},
    )


def broken_invariants(context: AppContext) -> dict[str, bool]:
    """Return whether each invariant that this process has checked is broken."""
    return {
        name: is_broken
        for worker in context.workers
        if isinstance(worker, InvariantWorker)
        for name, is_broken in worker.broken.items()
    }


def checked_invariants(context: AppContext) -> dict[str, dt.datetime]:
    """Return when this process knows that the last whole check of each invariant ended."""
    workers = [each for each in context.workers if isinstance(each, InvariantWorker)]
    return {name: at for worker in workers for name, at in worker.checked_at.items()}


def _quantiles(seconds: list[float]) -> Mapping[str, float]:
    """Return the quantiles; none of fewer than five, since the metrics are public."""
    if len(seconds) < SMALLEST_SHOWN:
        return {}
    deciles = statistics.quantiles(seconds, n=10, method="inclusive")
    return {name: deciles[place] for name, place in DECILES.items()}
