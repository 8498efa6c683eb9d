"""Every setting, read once from the environment (and an optional file) into one frozen class."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import limits
from pydantic import AfterValidator, AwareDatetime, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

CommaSeparated = Annotated[tuple[str, ...], NoDecode]

SECURITY_CONTACT = re.compile(r"(mailto:[^\s@]+@[^\s@]+|https://[^\s/]\S*|tel:\+?[0-9-]+)")
SAFE_ADDRESS = re.compile(r"(https://[^/?#@\s]+|http://(localhost|127\.0\.0\.1)(:[0-9]+)?)(/\S*)?")

A_CENTURY = 36_525  # days; longer means never, which is said by leaving it unset

ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")

SEED_DIR = Path(__file__).resolve().parent.parent / "seed"


def _is_a_rate(written: str) -> str:
    try:
        limits.parse(written)
    except ValueError:
        raise ValueError("must be a rate such as 300/minute") from None
    return written


Rate = Annotated[str, AfterValidator(_is_a_rate)]


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
    seal_to: CommaSeparated = Field(
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
    allowed_origins: CommaSeparated = Field(
        default=(),
        description="Browser origins that may post a concern, separated by commas or spaces. "
        "Public reads answer every origin.",
    )
    embedding_origins: CommaSeparated = Field(
        default=(),
        description="Sites (origins) that may show the pages in a frame, separated by commas or spaces.",
    )
    council_name: str = Field(
        default="One Minute Guide", max_length=80, description="Name at the top of every page: that of the council."
    )
    council_logo: Path | None = Field(
        default=None, description="A PNG or SVG file that stands beside the name at the top of every page."
    )
    council_colour: str = Field(
        default="#1d3d5c",
        pattern=r"^#[0-9a-fA-F]{6}$",
        description="Colour of the band at the top of every page. Words upon it are black or white, by its lightness.",
    )
    council_button_colour: str = Field(
        default="#0b6150", pattern=r"^#[0-9a-fA-F]{6}$", description="Colour of the buttons, likewise."
    )
    exit_url: str = Field(
        default="https://www.bbc.co.uk/weather",
        pattern=r"^https://[^\s\"'<>]+$",
        description="The neutral page that `Exit this page` leaves for.",
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
    webhook_allowed_hosts: CommaSeparated = Field(
        default=(),
        description="Names that webhooks may call although they resolve to private addresses, separated by commas or "
        "spaces.",
    )
    allowed_hosts: CommaSeparated = Field(
        default=(),
        description="Names under which this service may be called, besides that of PUBLIC_URL, addresses in figures "
        "and names without a dot; `*.council.example` for all beneath one, `*` for any.",
    )
    trusted_proxies: CommaSeparated = Field(
        default=(),
        description="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    )
    security_contact: CommaSeparated = Field(
        default=(), description="Where to report a weakness (mailto:, https: or tel:), for /.well-known/security.txt."
    )
    security_expires: AwareDatetime | None = Field(
        default=None, description="When that contact is to be checked again, for security.txt; goes with it."
    )
    limit_concerns: Rate = Field(
        default="300/minute", description="Submissions, checks and additions from one network address."
    )
    limit_status: Rate = Field(default="600/minute", description="Looks at the status of concerns from one address.")
    limit_search: Rate = Field(default="600/minute", description="Searches and filtered lists from one address.")
    limit_desk: Rate = Field(
        default="600/minute", description="Calls for clients from one address, by whom was not admitted before."
    )
    limit_clients: Rate = Field(default="6000/minute", description="All limited requests of one client.")
    limits_store: str = Field(
        default="memory://",
        repr=False,
        description="Where requests are counted: in each process, or by the address of a store that all share "
        "(`redis://...`).",
    )
    limits_secret_file: Path | None = Field(
        default=None,
        description="Secret (32 characters or more) under which addresses are hashed, the same wherever the store is "
        "shared. Without it, each process makes its own.",
    )
    connections: int = Field(default=800, ge=1, description="Connections that may be open to one process.")
    client_seconds: float = Field(
        default=30.0,
        gt=0,
        description="Longest wait for a client, in seconds: for the head of a request, for its body, and until it "
        "takes the answer.",
    )
    concurrent_requests: int = Field(
        default=500,
        ge=1,
        description="Requests that one process works on at once before new ones are answered with 503.",
    )
    drain_seconds: float = Field(
        default=5.0,
        ge=0,
        description="How long a process that is asked to stop (SIGTERM) shows itself not ready and refuses what is "
        "new, before it stops.",
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

    @model_validator(mode="after")
    def _security_txt_is_whole(self) -> Self:
        if bool(self.security_contact) != bool(self.security_expires):
            raise ValueError("GUIDANCE_SECURITY_CONTACT and GUIDANCE_SECURITY_EXPIRES go together")
        return self

    @field_validator("security_contact")
    @classmethod
    def _contacts_are_addresses(cls, contacts: tuple[str, ...]) -> tuple[str, ...]:
        if not all(SECURITY_CONTACT.fullmatch(contact) for contact in contacts):
            raise ValueError("each must begin with mailto:, https:// or tel:")
        return contacts

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ip_network(proxy)
            except ValueError:
                raise ValueError("each must be an address in figures, or a network such as 192.0.2.0/24") from None
        return proxies

    @field_validator("openid_jwks_url")
    @classmethod
    def _keys_come_safely(cls, url: str | None) -> str | None:
        if url is not None and not SAFE_ADDRESS.fullmatch(url):
            raise ValueError("must be an https address, or http on this machine alone")
        return url

    @field_validator("council_logo")
    @classmethod
    def _is_a_picture(cls, logo: Path | None) -> Path | None:
        if logo is not None and (logo.suffix.lower() not in (".png", ".svg") or not logo.is_file()):
            raise ValueError("must be a PNG or SVG file that is there")
        return logo

    @field_validator("embedding_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if not all(ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("each must be an origin such as https://www.council.example, in lower case")
        return origins

    @field_validator(
        "seal_to",
        "allowed_origins",
        "embedding_origins",
        "retired_receipt_keys",
        "webhook_allowed_hosts",
        "allowed_hosts",
        "trusted_proxies",
        "security_contact",
        mode="before",
    )
    @classmethod
    def _split_words(cls, given: Any) -> Any:
        return tuple(given.replace(",", " ").split()) if isinstance(given, str) else given
