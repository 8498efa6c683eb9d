"""`guidance webhooks`: push events to other systems."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any

import typer
from sqlalchemy import Engine
from sqlmodel import Session

from app.cli.open_database import open_writer
from app.cli.options import AsJson, SettingsOptions, echo_result, format_optional
from app.clock import utc_now
from app.config import Settings
from app.db.writer import Writer
from app.errors import SetupError
from app.models.base import format_utc
from app.models.events.rows import DeliveryState, EventKind
from app.services.events.address_guard import SsrfGuard
from app.services.events.deliveries import count_deliveries
from app.services.events.dispatcher import replay_deliveries, retry_deliveries, send_test_notice
from app.services.events.email_sender import EmailSender
from app.services.events.emails import MAILBOX_OF, build_test_email
from app.services.events.webhook_keys import (
    WebhookKeys,
    add_webhook,
    drop_old_secret,
    open_webhook_keys,
    remove_webhook,
    rotate_secret,
)
from app.services.events.webhook_sender import SendResult, build_sender
from app.services.events.webhooks import list_webhooks

WebhookName = Annotated[str, typer.Argument(help="The webhook's name.")]


def webhooks_add(
    settings: SettingsOptions,
    name: Annotated[str, typer.Argument(help="Lower-case words joined by hyphens.")],
    url: Annotated[str, typer.Argument(help="An https address.")],
    event: Annotated[list[EventKind], typer.Option("--event", help="An event type. Repeat the option for each type.")],
) -> None:
    """Add a webhook and print its signing secret (Standard Webhooks). The secret is shown once."""
    guard = SsrfGuard(frozenset(settings.webhook_allowed_hosts))
    with open_webhooks(settings, creates=True) as (_, writer, keys):
        secret = add_webhook(writer, name=name, url=url, kinds=event, guard=guard, keys=keys, at=utc_now())
    typer.echo(secret)


def webhooks_list(settings: SettingsOptions, as_json: AsJson = False) -> None:
    """List webhooks, with the number of pending deliveries and of those given up."""
    with open_writer(settings) as (engine, _), Session(engine) as session:
        counted = count_deliveries(session)
        listed: list[dict[str, Any]] = [
            {
                "name": webhook.name,
                "url": webhook.url,
                "events": webhook.kinds,
                "added_at": format_utc(webhook.added_at),
                "disabled_at": format_optional(webhook.disabled_at),
                "disabled_because": webhook.disabled_because,
                "waiting": counted.get((webhook.name, DeliveryState.PENDING.value), 0),
                "dead": counted.get((webhook.name, DeliveryState.DEAD.value), 0),
            }
            for webhook in list_webhooks(session)
        ]
    lines = [
        "\t".join(
            [
                each["name"],
                f"disabled: {each['disabled_because']}" if each["disabled_at"] else "active",
                f"waiting {each['waiting']}",
                f"dead {each['dead']}",
                each["url"],
            ]
        )
        for each in listed
    ]
    echo_result(lines, listed, as_json=as_json)


def webhooks_remove(settings: SettingsOptions, name: WebhookName) -> None:
    """Remove a webhook. Its name can be used again."""
    with open_writer(settings) as (_, writer):
        writer.run(remove_webhook, name, at=utc_now())
    typer.echo(f"{name}: removed")


def webhooks_rotate(
    settings: SettingsOptions,
    name: WebhookName,
    finish: Annotated[
        bool, typer.Option("--finish", help="Remove the old secret, once the receiver has the new one.")
    ] = False,
) -> None:
    """Print a new secret. Until `--finish`, each event is signed with both secrets."""
    with open_webhooks(settings) as (_, writer, keys):
        if finish:
            writer.run(drop_old_secret, name, at=utc_now())
            typer.echo(f"{name}: only the newest secret is used")
        else:
            typer.echo(writer.run(rotate_secret, name, keys=keys, at=utc_now()))


def webhooks_replay(settings: SettingsOptions, name: WebhookName) -> None:
    """Resend all events whose delivery was given up."""
    with open_writer(settings) as (_, writer):
        requeued = writer.run(replay_deliveries, name, now=utc_now())
    typer.echo(f"{requeued} due again")


def webhooks_retry(settings: SettingsOptions, name: WebhookName) -> None:
    """Retry pending deliveries now. Use `replay` for deliveries that were given up."""
    with open_writer(settings) as (_, writer):
        hastened = writer.run(retry_deliveries, name, now=utc_now())
    typer.echo(f"{hastened} due now")


def webhooks_test(settings: SettingsOptions, name: WebhookName) -> None:
    """Send a signed event of type `webhook.test`. Exit status 1 if it is not accepted.

    With the name `email`, send a test email to the duty team, and with `email-editors` to the editors.
    """
    if name in MAILBOX_OF:
        mailbox = MAILBOX_OF[name]
        if not mailbox.is_used(settings):
            missing = "GUIDANCE_SMTP_HOST" if settings.smtp_host is None else "GUIDANCE_SMTP_TO_EDITORS"
            raise SetupError(f"{missing} is not set, so no emails are sent")
        failure = EmailSender(settings).send(build_test_email(settings, mailbox, at=utc_now()))
        result = SendResult(failure or HTTPStatus.OK.value)
    else:
        sender = build_sender(settings)
        with open_webhooks(settings) as (engine, _, keys):
            result = asyncio.run(send_test_notice(engine, sender, name, keys=keys, at=utc_now()))
    typer.echo(f"{name}: {'accepted' if result.is_success else 'not accepted'} ({result.answer})")
    if not result.is_success:
        raise typer.Exit(1)


@contextmanager
def open_webhooks(settings: Settings, *, creates: bool = False) -> Iterator[tuple[Engine, Writer, WebhookKeys]]:
    """Yield what the commands need. Raise the errors of `open_writer`."""
    with open_writer(settings, creates=creates) as (engine, writer):
        keys = open_webhook_keys(settings)
        keys.load()
        yield engine, writer, keys
