"""Access to the desk of a database: a client with every scope, and a person who is signed in to the pages."""

import datetime as dt
import secrets
from dataclasses import dataclass
from pathlib import Path

from app.http.visitors import SESSION_COOKIE
from app.models.access.clients import Scope
from app.models.access.roles import Role
from app.services.access.clients import add_client
from app.services.access.people import invite
from bench.content import running_context

PERSON = "Jo Example"
AN_HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True)
class SignedIn:
    """The request headers of a client with every scope, and those of a signed-in person's browser."""

    headers: dict[str, str]
    cookies: dict[str, str]


def sign_in(data_dir: Path) -> SignedIn:
    """Add a client and a person to the database, sign the person in, and return the headers of both."""
    with running_context(data_dir) as context:
        at = context.clock()
        key = add_client(context.writer, name=f"bench-{secrets.token_hex(4)}", scopes=tuple(Scope), at=at)
        invite(context.writer, PERSON, role=Role.LEAD, expires_at=at + AN_HOUR, at=at)
        token = context.desk_sign_in.begin_with_passkey(PERSON, address="192.0.2.7", at=at, former=None)
    return SignedIn({"Authorization": f"Bearer {key}"}, {"Cookie": f"{SESSION_COOKIE}={token}"})
