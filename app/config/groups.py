"""Settings that belong together."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.config.formats import is_safe_address

PREFIX = "GUIDANCE_"
NEEDS = {
    "openid_issuer": "openid_audience",
    "openid_audience": "openid_issuer",
    "openid_jwks_url": "openid_issuer",
    "openid_claims": "openid_issuer",
    "openid_scopes": "openid_issuer",
    "openid_client_id": "openid_issuer",
    "openid_client_secret": "openid_client_id",  # nosec B105  # the name of a setting
    "security_contact": "security_expires",
    "security_expires": "security_contact",
    "seal_identity_file": "seal_to",
    "smtp_host": "smtp_from",
    "smtp_from": "smtp_to",
    "smtp_to": "smtp_host",
    "smtp_username": "smtp_password_file",
    "smtp_password_file": "smtp_username",  # nosec B105  # the name of a setting
}
"""Settings that mean nothing without another one. The default of each is that it is unset."""


def faults_of_groups(given: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each setting that is given without what it needs."""
    for name, needed in NEEDS.items():
        if given.get(name) and not given.get(needed):
            yield f"{PREFIX}{name.upper()} needs {PREFIX}{needed.upper()} too"
    if given.get("smtp_username") and given.get("smtp_security") == "none":
        yield f"{PREFIX}SMTP_PASSWORD_FILE would be sent in clear: {PREFIX}SMTP_SECURITY must not be none"
    issuer = given.get("openid_issuer")
    if issuer and not given.get("openid_jwks_url") and not is_safe_address(issuer):
        yield f"{PREFIX}OPENID_ISSUER must be an https address, where {PREFIX}OPENID_JWKS_URL is not set"
    elif issuer and given.get("openid_client_id") and not is_safe_address(issuer):
        yield f"{PREFIX}OPENID_ISSUER must be an https address, where {PREFIX}OPENID_CLIENT_ID is set"
