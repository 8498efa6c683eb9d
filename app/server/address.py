"""The address at which a server listens, which is its public address too where none is set."""

import socket
from ipaddress import ip_address

from app.config import Settings

PUBLIC_URL = "public_url"


def address_of(listening: socket.socket) -> str:
    """Return the address to open in a browser on this machine."""
    name, port = listening.getsockname()[:2]
    host = ip_address(name)
    if host.is_unspecified:  # every address of this machine: the loopback is one
        host = ip_address("127.0.0.1" if host.version == 4 else "::1")  # noqa: PLR2004  # the versions of IP
    return f"http://{f'[{host}]' if host.version == 6 else host}:{port}"  # noqa: PLR2004  # likewise


def settings_at(settings: Settings, address: str) -> Settings:
    """Return the settings with that public address, unless they name one."""
    if PUBLIC_URL in settings.model_fields_set:
        return settings
    return settings.model_copy(update={PUBLIC_URL: address})
