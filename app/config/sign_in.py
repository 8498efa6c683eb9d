"""Settings of the sign-in of people at the desk's pages."""

from pydantic import BaseModel, Field, SecretStr

from app.config.formats import OneLine, Whole


class SignInSettings(BaseModel):
    """How people sign in to the desk's pages, and for how long."""

    openid_client_id: OneLine | None = Field(
        default=None,
        description="Name of this service at the OpenID provider, as a client of its own, with which people sign in "
        "to the desk's pages. Unset: they have passkeys.",
    )
    openid_client_secret: SecretStr | None = Field(
        default=None, description="Secret of that client, where the provider gave it one."
    )
    openid_request_scopes: OneLine = Field(
        default="openid profile",
        description="Scopes that are requested when a person signs in, separated by spaces; some providers give "
        "groups only with a scope for them.",
    )
    desk_idle_minutes: Whole = Field(
        default=30,
        ge=1,
        le=720,
        description="Minutes without a request after which a person's session at the desk's pages ends. An identity "
        "in the browser is forgotten after as many minutes without use.",
    )
    desk_session_hours: Whole = Field(
        default=12, ge=1, le=168, description="Hours after which such a session ends in any case."
    )
