"""The background workers of a serving process, by its settings."""

import datetime as dt
from collections.abc import Callable, Iterator

from sqlalchemy import Engine

from app.age.keys import fingerprint_of
from app.config import Settings
from app.services.access.clients import KeyUses
from app.services.concerns.drafts import Drafts
from app.services.concerns.retention import RetentionPeriods
from app.services.desk.checkpoints import Checkpoints
from app.services.events.dispatcher import build_dispatcher
from app.services.events.dispatcher_thread import DispatcherThread
from app.services.operations.draft_worker import DraftWorker
from app.services.operations.housekeeping import CheckpointWorker, LogWorker, RemnantsWorker
from app.services.operations.invariant_worker import InvariantWorker
from app.services.operations.team_workers import build_team_workers
from app.services.operations.workers import (
    GenerationWatcher,
    KeyUseWorker,
    PeriodicWorker,
    RetentionWorker,
)
from app.store.writer import Writer


def build_workers(
    settings: Settings,
    engine: Engine,
    writer: Writer,
    *,
    on_generation_change: Callable[[], None],
    key_uses: KeyUses,
    checkpoints: Checkpoints,
    clock: Callable[[], dt.datetime],
) -> Iterator[PeriodicWorker]:
    """Yield the workers that the settings require, none of them started."""
    yield GenerationWatcher(engine, on_generation_change)
    yield KeyUseWorker(key_uses, writer)
    yield CheckpointWorker(checkpoints, clock)
    yield DraftWorker(Drafts(engine, writer), clock)
    if engine.dialect.name == "sqlite":
        yield RemnantsWorker(engine)
    else:
        yield LogWorker(checkpoints)
    periods = RetentionPeriods(settings.retention_acknowledged_days, settings.retention_closed_days)
    yield RetentionWorker(engine, writer, periods, clock)
    recipients = [fingerprint_of(each) for each in settings.seal_to]
    yield InvariantWorker(engine, recipients, clock, settings.data_dir)
    if settings.deliver:
        yield from build_team_workers(settings, engine, writer, clock)
        yield DispatcherThread(build_dispatcher(settings, writer, clock), grace_seconds=settings.drain_seconds)
