"""`guidance clients`: the systems that may use the API as clients, and their keys."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from sqlmodel import Session

from app.cli.open_database import open_writer
from app.cli.option_groups import OptionGroup
from app.cli.options import (
    AsJson,
    SettingsOptions,
    echo_result,
    format_moment,
    format_optional,
    parse_duration,
    parse_end,
)
from app.clock import utc_now
from app.models.access.clients import ClientKeyRow, ClientRow, Scope
from app.models.access.roles import SCOPES_OF, Role
from app.models.base import format_utc
from app.services.access.clients import add_client, list_clients, revoke_client, rotate_key

Expires = Annotated[
    str | None,
    typer.Option(help="Expiry: a date such as 2027-03-31 (London), or a period such as 90d or 12h."),
]


@dataclass(frozen=True)
class NewClientOptions:
    name: Annotated[str, typer.Argument(help="Lower-case words joined by hyphens.")]
    scope: Annotated[
        list[Scope] | None,
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help=f"One of {', '.join(Scope)}. Repeat the option for each scope.",
        ),
    ] = None
    role: Annotated[Role | None, typer.Option("--role", help="A role, which stands for its scopes.")] = None
    test: Annotated[
        bool,
        typer.Option("--test", help="A test key: can only submit tests, which are erased after a day."),
    ] = False
    person: Annotated[
        str | None,
        typer.Option(help="The only person who holds the key. The audit log shows the name after the client's."),
    ] = None


def clients_add(
    added: Annotated[NewClientOptions, OptionGroup(NewClientOptions)],
    settings: SettingsOptions,
    expires: Expires = None,
) -> None:
    """Add a client and print its key. The key is shown once and not stored."""
    now = utc_now()
    expires_at = parse_end(expires, now) if expires is not None else None
    with open_writer(settings, creates=True) as (_, writer):
        named = added.scope or ([Scope.SUBMIT] if added.test else [])
        scopes = {*named, *(SCOPES_OF[added.role] if added.role else ())}
        key = add_client(writer, added.name, scopes, added.person, test=added.test, at=now, expires_at=expires_at)
    typer.echo(key)
    _say_end(added.name, expires_at)


def clients_list(settings: SettingsOptions, as_json: AsJson = False) -> None:
    """List all clients, including revoked ones, with key expiry and last use.

    Last use can be up to five minutes late.
    """
    now = utc_now()
    with open_writer(settings) as (engine, _), Session(engine) as session:
        found = list_clients(session)
        lines = [line_of_client(*each, at=now) for each in found]
        document = [
            {
                "name": client.name,
                "person": client.person,
                "test": client.test,
                "state": _state_of(client, keys, now),
                "scopes": client.scopes,
                "added_at": format_utc(client.added_at),
                "revoked_at": format_optional(client.revoked_at),
                "last_used_at": format_optional(_last_use(keys)),
                "keys": [
                    {
                        "state": "active" if key.is_valid(now) else "ended",
                        "added_at": format_utc(key.added_at),
                        "expires_at": format_optional(key.expires_at),
                        "last_used_at": format_optional(key.last_used_at),
                    }
                    for key in keys
                ],
            }
            for client, keys in found
        ]
        echo_result(lines, document, as_json=as_json)


def clients_rotate(
    settings: SettingsOptions,
    name: Annotated[str, typer.Argument(help="The client's name.")],
    overlap: Annotated[str, typer.Option(help="How long the old key stays valid: 7d, 12h or 0d.")] = "7d",
    expires: Expires = None,
) -> None:
    """Print a new key for the client. The old key expires after the overlap.

    Without `--expires` the new key expires when the old one would have.
    """
    now = utc_now()
    kept, expires_at = parse_duration(overlap), parse_end(expires, now) if expires is not None else None
    with open_writer(settings) as (_, writer):
        key, ends = rotate_key(writer, name=name, overlap=kept, expires_at=expires_at, at=now)
    typer.echo(key)
    typer.echo(f"{name}: old keys expire at {format_moment(now + kept)} at the latest", err=True)
    _say_end(name, ends)


def clients_revoke(settings: SettingsOptions, name: Annotated[str, typer.Argument(help="The client's name.")]) -> None:
    """Revoke a client and its keys."""
    with open_writer(settings) as (_, writer):
        writer.run(revoke_client, name, at=utc_now())
    typer.echo(f"{name}: revoked")


def _say_end(name: str, expires_at: dt.datetime | None) -> None:
    """Write to standard error, because standard output has only the key."""
    if expires_at is not None:
        typer.echo(f"{name}: the new key expires at {format_moment(expires_at)}", err=True)


def line_of_client(client: ClientRow, keys: Sequence[ClientKeyRow], *, at: dt.datetime) -> str:
    """Return name, state, scopes, last use, expiry and person, separated by tabs, without empty ones."""
    state = _state_of(client, keys, at)
    ends = ", ".join(
        format_moment(key.expires_at) if key.expires_at is not None else "never" for key in keys if key.is_valid(at)
    )
    return "\t".join(
        [
            client.name,
            f"revoked {client.revoked_at:%Y-%m-%d}" if client.revoked_at else state,
            " ".join(client.scopes),
            f"last used {format_moment(used)}" if (used := _last_use(keys)) else "never used",
            *([f"ends {ends}"] if state == "active" else []),
            *([client.person] if client.person else []),
            *(["for tests"] if client.test else []),
        ]
    )


def _state_of(client: ClientRow, keys: Sequence[ClientKeyRow], at: dt.datetime) -> str:
    if client.revoked_at is not None:
        return "revoked"
    return "active" if any(key.is_valid(at) for key in keys) else "ended"


def _last_use(keys: Sequence[ClientKeyRow]) -> dt.datetime | None:
    return max((key.last_used_at for key in keys if key.last_used_at is not None), default=None)
