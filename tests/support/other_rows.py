"""Rows of the other kinds that grow: people, webhooks, saved forms and entries of the audit log."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.models.access.roles import Role
from app.models.audit.details import SummaryDetails
from app.models.audit.rows import INBOX, DeskAct
from app.models.events.rows import EventKind, WebhookRow
from app.services.access.people import invite
from app.services.audit.audit_log import Actor, record_action
from app.services.concerns.saved_forms import SHARE
from app.services.events.webhooks import insert_webhook
from bench.content import AT_ONCE, receive, running_context

PEOPLE, WEBHOOKS, FORMS, ENTRIES = 20, 2, 200, 1_000
A_DAY = dt.timedelta(days=1)


def fill_with_others(data_dir: Path, times: int) -> None:
    """Write so many times as many rows as a small council has, and a few concerns."""
    receive(data_dir, SHARE)
    with running_context(data_dir) as context, ThreadPoolExecutor(AT_ONCE) as pool:
        at, writer = context.clock(), context.writer

        def admit(number: int) -> None:
            invite(writer, f"Kim Example {number}", role=Role.READER, expires_at=at + A_DAY, at=at)

        def listen(number: int) -> None:
            url, kinds = f"https://receiver-{number}.example/hook", [EventKind.CONCERN_RECEIVED.value]
            writer.run(
                insert_webhook, WebhookRow(name=f"receiver-{number}", url=url, kinds=kinds, secrets=[], added_at=at)
            )

        def save(number: int) -> None:
            context.saved_forms.save("/raise-a-concern", {}, source=f"network-{number // SHARE}", at=at)

        def read(_: int) -> None:
            actor = Actor("desk/Kim Example", "192.0.2.1", at)
            writer.run(record_action, INBOX, DeskAct.SUMMARY_READ, actor, SummaryDetails(days=1))

        for act, number in ((admit, PEOPLE), (listen, WEBHOOKS), (save, FORMS), (read, ENTRIES)):
            list(pool.map(act, range(number * times)))
