"""Who may call each operation, as the document says it."""

from app.config import Settings
from app.web.openapi.examples import JsonObject

CLIENT_KEY = "ClientKey"
OPENID = "OpenID"
CONFIGURATION = "/.well-known/openid-configuration"


def add_security(document: JsonObject, settings: Settings) -> None:
    """Say of every operation who may call it: `[]` is anyone. Where an OpenID provider is set, its tokens count too."""
    if settings.openid_issuer is not None:
        document["components"]["securitySchemes"][OPENID] = {
            "type": "openIdConnect",
            "openIdConnectUrl": settings.openid_issuer.rstrip("/") + CONFIGURATION,
            "description": "An access token of the council's OpenID provider, with the scope.",
        }
    for methods in document["paths"].values():
        for operation in methods.values():
            requirements = [each for each in operation.get("security", []) if each or settings.anonymous_concerns]
            if settings.openid_issuer is not None:
                requirements += [{OPENID: each[CLIENT_KEY]} for each in requirements if CLIENT_KEY in each]
            operation["security"] = requirements
