"""Every setting, read once from the environment (and an optional file) into one frozen class."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Words = Annotated[tuple[str, ...], NoDecode]

SAFE_ADDRESS = re.compile(r"(https://[^/?#@\s]+|http://(localhost|127\.0\.0\.1)(:[0-9]+)?)(/\S*)?")

A_CENTURY = 36_525  # days; longer means never, which is said by leaving it unset

SEED_DIR = Path(__file__).resolve().parent.parent / "seed"


class Settings(BaseSettings):
    """The settings, each from `GUIDANCE_<NAME>`. Every default is safe in production and fit to be public."""

    model_config = SettingsConfigDict(
        env_prefix="GUIDANCE_", frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    data_dir: Path = Field(default=Path("data"), description="Folder for the database and the keys.")
    database_url: SecretStr | None = Field(
        default=None,
        description="Address of a PostgreSQL database that any number of nodes share: "
        "postgresql+psycopg://user:password@host/name. Unset: SQLite in the data folder.",
    )
    seed_dir: Path = Field(default=SEED_DIR, description="Folder with `guides/`, `signposts.yaml` and `code-lists/`.")
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        pattern=r"^https?://[^/?#]+$",
        description="Scheme and host under which callers reach this service, for the few answers that need whole "
        "addresses (feeds, Memento, Open Referral). It is never taken from a request.",
    )
    seal_to: Words = Field(
        default=(),
        description="age recipients (public keys) that every concern is sealed to, separated by commas or spaces. "
        "Where none is given, a development identity is made in the data folder.",
    )
    seal_identity_file: Path | None = Field(
        default=None,
        description="age identities with which this process may open concerns for clients. Leave it unset on a server "
        "that only receives. The development identity is used where SEAL_TO is unset too.",
    )
    receipt_key_file: Path | None = Field(
        default=None,
        description="Ed25519 private key (PEM) that signs receipts. Without it, one is made in the data folder.",
    )
    retired_receipt_keys: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        description="Keys (PEM) that signed receipts before, separated by commas or spaces: they stay in "
        "/.well-known/jwks.json, so that old receipts can be checked.",
    )
    retention_acknowledged_days: int | None = Field(
        default=None,
        ge=1,
        le=A_CENTURY,
        description="Days after which the words of an acknowledged concern are erased. Unset: never.",
    )
    retention_closed_days: int | None = Field(
        default=None,
        ge=1,
        le=A_CENTURY,
        description="Days after which the words of a closed concern are erased. Unset: never.",
    )
    allowed_origins: Words = Field(
        default=(),
        description="Browser origins that may post a concern, separated by commas or spaces. "
        "Public reads answer every origin.",
    )
    anonymous_concerns: bool = Field(default=True, description="Whether a concern may be posted without a client key.")
    openid_issuer: str | None = Field(
        default=None, description="Issuer of the OpenID provider whose access tokens are accepted beside client keys."
    )
    openid_audience: str | None = Field(default=None, description="Audience that those tokens must name.")
    openid_jwks_url: str | None = Field(
        default=None, description="Address of the provider's keys (JWKS): https, or http on this machine alone."
    )
    deliver: bool = Field(
        default=True, description="Whether serving processes push events; `guidance deliver` does so on its own."
    )
    webhook_allowed_hosts: Words = Field(
        default=(),
        description="Names that webhooks may call although they resolve to private addresses, separated by commas or "
        "spaces.",
    )
    writer_queue: int = Field(
        default=2000, ge=1, description="Acts that may wait for the disk before new ones are answered with 503."
    )
    writer_wait_seconds: float = Field(
        default=10.0, gt=0, description="Longest wait of one act for the disk, in seconds."
    )
    shelf_megabytes: int = Field(
        default=64,
        ge=0,
        description="Memory for the finished answers of public reads, in megabytes for each process; 0 keeps none.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe log line that is written."
    )

    @property
    def database_address(self) -> str | None:
        """The address of the shared database, with its password; None where the embedded one is used."""
        return self.database_url.get_secret_value() if self.database_url else None

    @model_validator(mode="after")
    def _openid_is_whole(self) -> Self:
        told = (self.openid_issuer, self.openid_audience, self.openid_jwks_url)
        if any(told) and not all(told):
            raise ValueError(
                "GUIDANCE_OPENID_ISSUER, GUIDANCE_OPENID_AUDIENCE and GUIDANCE_OPENID_JWKS_URL go together"
            )
        return self

    @field_validator("openid_jwks_url")
    @classmethod
    def _keys_come_safely(cls, url: str | None) -> str | None:
        if url is not None and not SAFE_ADDRESS.fullmatch(url):
            raise ValueError("must be an https address, or http on this machine alone")
        return url

    @field_validator("seal_to", "allowed_origins", "retired_receipt_keys", "webhook_allowed_hosts", mode="before")
    @classmethod
    def _split_words(cls, given: Any) -> Any:
        return tuple(given.replace(",", " ").split()) if isinstance(given, str) else given
