"""How people sign in to the desk's pages of one service."""

import datetime as dt
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from app.services.access.challenges import RelyingParty
from app.services.access.invitations import Invitations
from app.services.access.openid_sign_in import OpenIdSignIn
from app.services.access.passkeys import Passkeys
from app.services.access.sessions import DeskSessions

BY_PASSKEY = "passkey:desk"
"""What the record names before a person who signed in with a passkey. No client has such a name."""
LOOPBACK_NAME = "localhost"
PATH = "/desk"
SIGN_IN = f"{PATH}/sign-in"
INVITATION = f"{PATH}/invitation"
RETURN = f"{SIGN_IN}/openid/return"


@dataclass(frozen=True)
class DeskSignIn:
    """The sessions, and the ways to begin one: a passkey and, where it is configured, an OpenID provider."""

    sessions: DeskSessions
    public_url: str
    council_name: str
    openid: OpenIdSignIn | None = None

    def party(self, port: int | None = None) -> RelyingParty:
        """Return this service as passkeys know it, on that port if it is for this machine alone."""
        return relying_party(self.public_url, self.council_name, port=port)

    def passkeys(self, port: int | None) -> Passkeys:
        """Return what reads signed challenges."""
        return Passkeys(self.sessions.writer, self.party(port))

    def invitations(self, port: int | None) -> Invitations:
        """Return what registers passkeys."""
        return Invitations(self.sessions.writer, self.party(port))

    def begin_with_passkey(self, person: str, *, at: dt.datetime, former: str | None) -> str:
        """Return the token of a session of that person, whose passkey was checked."""
        return self.sessions.start(person, client=BY_PASSKEY, at=at, former=former)


def relying_party(public_url: str, council_name: str, *, port: int | None = None) -> RelyingParty:
    """Return the service at that address as passkeys know it.

    A passkey needs the name of a host, so an address of this machine alone becomes `localhost`. It may be served on
    another port than the address says.
    """
    url = urlsplit(public_url)
    host = url.hostname or ""
    if not _is_loopback(host):
        return RelyingParty(host, public_url, council_name)
    number = port or url.port
    return RelyingParty(LOOPBACK_NAME, f"{url.scheme}://{LOOPBACK_NAME}{f':{number}' if number else ''}", council_name)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == LOOPBACK_NAME
