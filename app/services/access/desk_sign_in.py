"""How people sign in to the desk's pages of one service."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.services.access.openid_sign_in import OpenIdSignIn
from app.services.access.people import BY_PASSKEY
from app.services.access.relying_party import RelyingParty, relying_party
from app.services.access.sessions import DeskSessions

if TYPE_CHECKING:
    from app.services.access.invitations import Invitations
    from app.services.access.passkeys import Passkeys

PATH = "/desk"
SIGN_IN = f"{PATH}/sign-in"
GUIDES_PATH = "/edit"
"""Where people who are signed in write guides."""
INVITATION = f"{PATH}/invitation"
PROVIDER_SIGN_IN = f"{SIGN_IN}/openid"
RETURN, FINISH = f"{PROVIDER_SIGN_IN}/return", f"{PROVIDER_SIGN_IN}/finish"
"""Where a provider sends the browser, and where that page leads on to."""


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

    def passkeys(self, port: int | None) -> "Passkeys":
        """Return what reads signed challenges."""
        from app.services.access.passkeys import Passkeys  # noqa: PLC0415  # 0.2 s, which no start waits for

        return Passkeys(self.sessions.writer, self.party(port))

    def invitations(self, port: int | None) -> "Invitations":
        """Return what registers passkeys."""
        from app.services.access.invitations import Invitations  # noqa: PLC0415  # as above

        return Invitations(self.sessions.writer, self.party(port))

    def begin_with_passkey(self, person: str, *, address: str, at: dt.datetime, former: str | None) -> str:
        """Return the token of a session of that person, whose passkey was checked."""
        return self.sessions.start(person, client=BY_PASSKEY, address=address, at=at, former=former)
