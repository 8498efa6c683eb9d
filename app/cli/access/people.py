"""`guidance desk invite`, `leave` and `people`: who may sign in to the desk's pages."""

from typing import Annotated

import typer
from sqlmodel import Session

from app.age.keys import fingerprint_of
from app.cli.open_database import open_writer
from app.cli.options import AsJson, SettingsOptions, echo_result, format_moment, parse_end
from app.clock import utc_now
from app.config import Settings
from app.models.access.roles import Role
from app.models.base import counted, format_utc
from app.services.access.access_record import by_operator
from app.services.access.people import count_passkeys, find_last_uses, invite, list_people
from app.services.access.sign_in import INVITATION, relying_party
from app.services.desk.leaving import remove_person

CHANGE_KEYS = (
    "{name}: had the team's key ({keys}) and may have kept it. Change it: guidance keys new FILE; put the new "
    "recipient in GUIDANCE_SEAL_TO in place of the old one, and restart; guidance keys reseal --identity OLD-FILE; "
    "then give the new key to the others at /desk/people/keys"
)
NameOfPerson = Annotated[str, typer.Argument(help="The person's name, as shown in the audit log.")]


def desk_invite(
    settings: SettingsOptions,
    name: NameOfPerson,
    role: Annotated[
        Role,
        typer.Option(
            help="reader (read concerns), worker (read and act), lead (worker, and the audit log), auditor (audit log "
            "only), editor (write guides, no concerns) or publisher (write and publish guides)."
        ),
    ],
    expires: Annotated[str, typer.Option(help="Expiry of the link: a date, or a period such as 2d or 4h.")] = "2d",
    as_json: AsJson = False,
) -> None:
    """Print a single-use link to create a passkey. An existing person gets the new role immediately."""
    now = utc_now()
    ends = parse_end(expires, now)
    with open_writer(settings, creates=True) as (_, writer):
        token = invite(writer, name, role=role, expires_at=ends, at=now)
    link = invitation_link(settings, token)
    document = {"name": name, "role": role, "link": link, "expires_at": format_utc(ends)}
    echo_result([link], document, as_json=as_json)
    typer.echo(f"{name}: the link works once, until {format_moment(ends)}", err=True)


def invitation_link(settings: Settings, token: str) -> str:
    """Return the link of an invitation, which is secret until it is used."""
    return f"{relying_party(settings.public_url, settings.council_name).origin}{INVITATION}#{token}"


def desk_leave(settings: SettingsOptions, name: NameOfPerson, as_json: AsJson = False) -> None:
    """Remove a person: end their sessions, and revoke passkeys, invitations and client keys.

    Their locked copies of the team's key are deleted. Their concerns show as unassigned.
    """
    now = utc_now()
    with open_writer(settings) as (_, writer):
        left = remove_person(writer, name, actor=by_operator(now))
    count = len(left.unassigned)
    concerns = counted(count, "concern is", "concerns are")
    lines = [f"{name}: signed out everywhere; cannot sign in again; {concerns} unassigned"]
    if left.clients:
        lines.append(f"{name}: keys revoked for these clients: {', '.join(left.clients)}")
    in_use = [key for key in left.keys if key in map(fingerprint_of, settings.seal_to)]
    if in_use:
        lines.append(CHANGE_KEYS.format(name=name, keys=", ".join(in_use)))
    document = {"name": name, "unassigned": left.unassigned, "clients": left.clients, "keys": in_use}
    echo_result(lines, document, as_json=as_json)


def desk_people(
    settings: SettingsOptions, as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False
) -> None:
    """List the people at the desk, including those removed."""
    with open_writer(settings) as (engine, _), Session(engine) as session:
        passkeys, last_uses = count_passkeys(session), find_last_uses(session)
        rows = [
            {
                "name": person.name,
                "role": person.role,
                "provider": person.provider,
                "passkeys": passkeys[person.name],
                "last_seen_at": format_utc(used) if (used := last_uses.get(person.name)) else None,
                "added_at": format_utc(person.added_at),
                "left_at": format_utc(person.left_at) if person.left_at else None,
            }
            for person in list_people(session)
        ]
    lines = [
        "\t".join(
            [
                str(row["name"]),
                f"left {row['left_at']}" if row["left_at"] else str(row["role"]),
                f"by {row['provider']}" if row["provider"] else counted(int(str(row["passkeys"])), "passkey"),
                f"seen {row['last_seen_at']}" if row["last_seen_at"] else "not signed in",
            ]
        )
        for row in rows
    ]
    echo_result(lines, rows, as_json=as_json)
