"""`guidance deliver`: delivers events in a separate process."""

import datetime as dt
import signal
from typing import Annotated

import typer

from app.cli.events.webhooks import open_webhooks
from app.cli.options import SettingsOptions
from app.clock import utc_now
from app.services.events.dispatcher import DispatcherThread, build_dispatcher
from app.services.operations.jobs import TeamJobs
from app.services.workers import JobsWorker, stop_workers


def deliver(
    settings: SettingsOptions,
    lease: Annotated[
        int,
        typer.Option(
            help="Seconds until another worker may take over an unfinished delivery.",
            min=1,
        ),
    ] = 60,
) -> None:
    """Deliver events until stopped, in a separate process. Several processes can deliver at the same time."""
    with open_webhooks(settings) as (engine, writer, _keys):
        dispatcher = build_dispatcher(settings, writer, utc_now, dt.timedelta(seconds=lease))
        delivery = DispatcherThread(dispatcher, grace_seconds=settings.drain_seconds)
        team = TeamJobs(settings, engine, writer, utc_now)
        others = [JobsWorker("clock", team.on_time()), *team.email_workers()]
        for stopping in (signal.SIGTERM, signal.SIGINT):
            signal.signal(stopping, lambda *_: delivery.request_stop())
        for worker in others:
            worker.start()
        delivery.run()
        stop_workers(others)
