"""How the command line lists clients and webhooks."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from app.cli.times import format_moment
from app.models.base import format_utc
from app.models.clients import ClientKeyRow, ClientRow
from app.models.events.tables import DeliveryState, WebhookRow


def describe_client(client: ClientRow, keys: Sequence[ClientKeyRow], *, at: dt.datetime) -> dict[str, Any]:
    """Return what is known of the client, as JSON; of a key never its hash."""
    return {
        "name": client.name,
        "person": client.person,
        "test": client.test,
        "state": _state_of(client, keys, at),
        "scopes": client.scopes,
        "added_at": format_utc(client.added_at),
        "revoked_at": _utc(client.revoked_at),
        "last_used_at": _utc(_last_use(keys)),
        "keys": [
            {
                "state": "active" if key.is_valid(at) else "ended",
                "added_at": format_utc(key.added_at),
                "expires_at": _utc(key.expires_at),
                "last_used_at": _utc(key.last_used_at),
            }
            for key in keys
        ],
    }


def line_of_client(client: ClientRow, keys: Sequence[ClientKeyRow], *, at: dt.datetime) -> str:
    """Return the line of the client: name, state, scopes, last use, the end of its keys, and the person."""
    state = _state_of(client, keys, at)
    used = _last_use(keys)
    ends = ", ".join(
        format_moment(key.expires_at) if key.expires_at is not None else "never" for key in keys if key.is_valid(at)
    )
    return "\t".join(
        [
            client.name,
            f"revoked {client.revoked_at:%Y-%m-%d}" if client.revoked_at else state,
            " ".join(client.scopes),
            f"last used {format_moment(used)}" if used else "never used",
            *([f"ends {ends}"] if state == "active" else []),
            *([client.person] if client.person else []),
            *(["for tests"] if client.test else []),
        ]
    )


def describe_webhook(webhook: WebhookRow, counted: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """Return what is known of the webhook, as JSON; never its secrets."""
    return {
        "name": webhook.name,
        "url": webhook.url,
        "events": webhook.kinds,
        "added_at": format_utc(webhook.added_at),
        "disabled_at": _utc(webhook.disabled_at),
        "disabled_because": webhook.disabled_because,
        "waiting": counted.get((webhook.name, DeliveryState.PENDING.value), 0),
        "dead": counted.get((webhook.name, DeliveryState.DEAD.value), 0),
    }


def _state_of(client: ClientRow, keys: Sequence[ClientKeyRow], at: dt.datetime) -> str:
    if client.revoked_at is not None:
        return "revoked"
    return "active" if any(key.is_valid(at) for key in keys) else "ended"


def _last_use(keys: Sequence[ClientKeyRow]) -> dt.datetime | None:
    return max((key.last_used_at for key in keys if key.last_used_at is not None), default=None)


def _utc(moment: dt.datetime | None) -> str | None:
    return None if moment is None else format_utc(moment)
