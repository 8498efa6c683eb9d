"""Gauges of the running service."""

import datetime as dt
import itertools
import statistics
from collections.abc import Iterator, Mapping

from prometheus_client.core import Metric
from sqlmodel import Session

from app.build import VERSION
from app.http.context import AppContext
from app.http.metrics import gauge
from app.services.concerns.saved_forms import measure_saved
from app.services.desk.actions import times_to_acknowledge
from app.services.desk.inbox import count_states
from app.services.events.deliveries import count_deliveries, oldest_waiting_deliveries
from app.services.events.webhooks import UNDELIVERED, list_receivers
from app.services.operations.watches import WATCHES, Watcher

SMALLEST_SHOWN = 5
"""A smaller number could identify a child."""
RECENT = dt.timedelta(days=30)
DECILES = {"0.5": 4, "0.9": 8}
"""Index of each published quantile."""


def read_gauges(context: AppContext, session: Session, *, now: dt.datetime) -> Iterator[Metric]:
    """Return the gauges. Times to acknowledgement are those of the last `RECENT`.

    Numbers below `SMALLEST_SHOWN` are left out.
    """
    writer, store = context.writer, context.response_cache.store
    workers = {name: each for each in context.workers for name in each.names}
    yield gauge("guidance_writer_waiting", "Operations that wait to be written.", writer.waiting)
    states = count_states(session, now=now)
    shown = {state: count for state, count in states.items() if count >= SMALLEST_SHOWN}
    yield gauge(
        "guidance_concerns",
        "Concerns in each state, and overdue ones. Numbers under five are not shown.",
        shown,
        "state",
    )
    yield gauge("guidance_overdue_any", "1 if a concern or addition is overdue.", states.get("overdue", 0) > 0)
    receivers = [each.name for each in list_receivers(session)]
    none = dict.fromkeys(itertools.product(receivers, UNDELIVERED), 0)
    yield gauge(
        "guidance_deliveries", "Waiting and failed deliveries.", none | count_deliveries(session), "webhook", "state"
    )
    number, size = measure_saved(session)
    saved, measured = ({(): number}, {(): size}) if number >= SMALLEST_SHOWN else ({}, {})
    yield gauge("guidance_saved_forms", "Saved forms. Not shown under five.", saved)
    yield gauge("guidance_saved_forms_bytes", "Bytes of the saved forms. Not shown under five forms.", measured)
    yield gauge(
        "guidance_worker_alive",
        "1 if the thread of the background worker runs in this process.",
        {name: each.is_alive for name, each in workers.items()},
        "worker",
    )
    silent = {name: each.seconds_since_beat for name, each in workers.items()}
    yield gauge(
        "guidance_worker_silent_seconds",
        "Seconds since the last sign of life of the background worker in this process.",
        silent,
        "worker",
    )
    yield gauge("guidance_writer_alive", "1 if the writer's thread runs in this process.", writer.is_alive)
    yield gauge("guidance_cache_responses", "Responses in the cache of this process.", len(store))
    yield gauge("guidance_cache_bytes", "Memory of the cache of this process, in bytes.", store.used_bytes)
    left = context.response_cache.left_to_hold
    yield gauge("guidance_cache_left_to_hold", "Responses that this process has still to make and hold.", left)
    oldest = oldest_waiting_deliveries(session)
    ages = {name: (now - oldest.get(name, now)).total_seconds() for name in receivers}
    yield gauge(
        "guidance_outbox_age_seconds",
        "Age of the oldest event not yet delivered to the webhook or the duty team's mailbox, in seconds.",
        ages,
        "webhook",
    )
    failing = {part: failure is not None for part, failure in context.outside.failures.items()}
    yield gauge(
        "guidance_outside_failing",
        "1 if this process could not use the external service at its last attempt.",
        failing,
        "part",
    )
    quantiles = _quantiles(times_to_acknowledge(session, since=now - RECENT))
    yield gauge(
        "guidance_acknowledgement_seconds",
        "Time to acknowledge concerns of the last 30 days, in seconds. Not shown for fewer than five concerns.",
        quantiles,
        "quantile",
    )
    yield gauge("guidance_invariant_broken", "1 if the invariant is broken.", context.invariants.broken, "invariant")
    checked_at = {name: at.timestamp() for name, at in context.invariants.checked_at.items()}
    yield gauge(
        "guidance_invariant_checked_timestamp_seconds",
        "Time of the last complete check of the invariant, in seconds since 1970.",
        checked_at,
        "invariant",
    )
    yield from _watched(context.watcher)
    build = {(VERSION, context.settings.commit or ""): 1}
    yield gauge("guidance_build_info", "Version and commit of the service.", build, "version", "commit")


def _watched(watcher: Watcher) -> Iterator[Metric]:
    for watch in WATCHES:
        reading = watcher.readings.get(watch.name)
        yield gauge(watch.metric, f"{watch.says[:1].upper()}{watch.says[1:]}.", {(): reading.value} if reading else {})
    yield gauge(
        "guidance_warning_bound",
        "Bound of the metric beyond which readiness warns, in the unit of the metric.",
        watcher.bounds,
        "warning",
    )


def _quantiles(seconds: list[float]) -> Mapping[str, float]:
    if len(seconds) < SMALLEST_SHOWN:
        return {}
    deciles = statistics.quantiles(seconds, n=10, method="inclusive")
    return {name: deciles[place] for name, place in DECILES.items()}
