"""How the process that answers works now, gathered for the metrics."""

import datetime as dt
import statistics
from collections.abc import Mapping

from sqlmodel import Session

from app.http.context import AppContext
from app.http.metrics import SMALLEST_SHOWN, OperationState
from app.services.acts import times_to_acknowledge
from app.services.webhooks import oldest_waiting

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
        broken=context.invariants.broken,
        checked_at={name: at.timestamp() for name, at in context.invariants.checked_at.items()},
    )


def _quantiles(seconds: list[float]) -> Mapping[str, float]:
    """Return the quantiles; none of fewer than five, since the metrics are public."""
    if len(seconds) < SMALLEST_SHOWN:
        return {}
    deciles = statistics.quantiles(seconds, n=10, method="inclusive")
    return {name: deciles[place] for name, place in DECILES.items()}
