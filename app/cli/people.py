"""`guidance desk invite`, `leave` and `people`: who may sign in to the desk's pages."""

from typing import Annotated

import typer
from sqlmodel import Session

from app.cli.options import AsJson, echo_json, echo_result, format_moment, open_writer, parse_end
from app.config import Settings
from app.main import utc_now
from app.models.base import format_utc
from app.models.people import Role
from app.services.access import by_operator
from app.services.acts import unassign_all
from app.services.inbox import remove_views
from app.services.people import count_passkeys, find_last_use, invite, leave, list_people
from app.services.sign_in import INVITATION, relying_party

NameOfPerson = Annotated[str, typer.Argument(help="The person's name, as the record shows it.")]


def desk_invite(
    settings: Settings,
    name: NameOfPerson,
    role: Annotated[
        Role,
        typer.Option(
            help="What they may do. reader: read concerns. worker: act on them too. lead: read the record too. "
            "auditor: read the record alone. editor: write guides, and see no concern. publisher: publish guides too."
        ),
    ],
    expires: Annotated[str, typer.Option(help="When the link ends: a date, or a time such as 2d or 4h.")] = "2d",
    as_json: AsJson = False,
) -> None:
    """Print a link that makes a passkey, once. A person who is there already gets that role at once."""
    now = utc_now()
    ends = parse_end(expires, now)
    with open_writer(settings) as (_, writer):
        token = invite(writer, name, role=role, expires_at=ends, at=now)
    link = f"{relying_party(settings.public_url, settings.council_name).origin}{INVITATION}#{token}"
    document = {"name": name, "role": role, "link": link, "expires_at": format_utc(ends)}
    echo_result([link], document, as_json=as_json)
    typer.echo(f"{name}: the link works once, until {format_moment(ends)}", err=True)


def desk_leave(settings: Settings, name: NameOfPerson, as_json: AsJson = False) -> None:
    """End every session, passkey, invitation and client key of the person at once. Their work shows as unassigned."""
    now = utc_now()
    with open_writer(settings) as (_, writer):
        clients = leave(writer, name, at=now)
        remove_views(writer, name)
        taken = unassign_all(writer, name, actor=by_operator(now))
    lines = [f"{name}: signed out everywhere, and let in no more; {len(taken)} concerns are unassigned"]
    if clients:
        lines.append(f"{name}: no key of these clients is valid any more: {', '.join(clients)}")
    echo_result(lines, {"name": name, "unassigned": taken, "clients": clients}, as_json=as_json)


def desk_people(
    settings: Settings, as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False
) -> None:
    """List the people at the desk, those who left too."""
    with open_writer(settings) as (engine, _), Session(engine) as session:
        rows = [
            {
                "name": person.name,
                "role": person.role,
                "provider": person.provider,
                "passkeys": count_passkeys(session, person.name),
                "last_seen_at": format_utc(used) if (used := find_last_use(session, person.name)) else None,
                "added_at": format_utc(person.added_at),
                "left_at": format_utc(person.left_at) if person.left_at else None,
            }
            for person in list_people(session)
        ]
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        state = f"left {row['left_at']}" if row["left_at"] else str(row["role"])
        way = f"by {row['provider']}" if row["provider"] else f"{row['passkeys']} passkeys"
        seen = f"seen {row['last_seen_at']}" if row["last_seen_at"] else "not signed in"
        typer.echo("\t".join([str(row["name"]), state, way, seen]))
