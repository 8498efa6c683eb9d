"""All settings, read once from the environment (and an optional file) into one frozen class."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import limits
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECURITY_CONTACT = re.compile(r"(mailto:[^\s@]+@[^\s@]+|https://[^\s/]\S*|tel:\+?[0-9-]+)")
SAFE_ADDRESS = re.compile(r"(https://[^/?#@\s]+|http://(localhost|127\.0\.0\.1)(:[0-9]+)?)(/\S*)?")

MAX_RETENTION_DAYS = 36_525  # a century; for longer, leave the setting unset

ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")

SEED_DIR = Path(__file__).resolve().parent.parent / "seed"


def _split_list(value: Any) -> Any:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _check_rate(rate: str) -> str:
    try:
        limits.parse(rate)
    except ValueError:
        raise ValueError("must be a rate such as 300/minute") from None
    return rate


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_list)]
Rate = Annotated[str, AfterValidator(_check_rate)]


class Build(BaseSettings):
    """What the program was built from."""

    model_config = SettingsConfigDict(
        env_prefix="GUIDANCE_", frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    commit: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{7,64}$",
        description="Commit that this program was built from, for `/v1`, `/metrics` and `guidance --version`.",
    )


class Settings(Build):
    """The settings, each from the variable `GUIDANCE_<NAME>`. Every default is safe in production and may be public."""

    data_dir: Path = Field(default=Path("data"), description="Folder for the database and the keys.")
    database_url: SecretStr | None = Field(
        default=None,
        description="Address of a PostgreSQL database that several nodes can share: "
        "postgresql+psycopg://user:password@host/name. Unset: SQLite in the data folder.",
    )
    seed_dir: Path = Field(default=SEED_DIR, description="Folder with `guides/`, `signposts.yaml` and `code-lists/`.")
    default_guide: str | None = Field(
        default=None,
        description="The guide of a concern that names none. Unset: the guide that was published first.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        pattern=r"^https?://[^/?#]+$",
        description="Scheme and host at which callers reach this service, for responses that contain full addresses "
        "(feeds, Memento, Open Referral). It is never taken from a request.",
    )
    seal_to: CommaSeparated = Field(
        default=(),
        description="age recipients (public keys) that every concern is sealed to, separated by commas or spaces. "
        "Unset: a development identity is created in the data folder.",
    )
    seal_identity_file: Path | None = Field(
        default=None,
        description="File of age identities with which this process opens concerns for clients. Leave it unset on a "
        "server that only receives. If SEAL_TO is unset too, the development identity is used.",
    )
    receipt_key_file: Path | None = Field(
        default=None,
        description="Ed25519 private key (PEM) that signs receipts. Unset: a key is created in the data folder.",
    )
    retired_receipt_keys: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split_list)] = Field(
        default=(),
        description="Former receipt keys (PEM files), separated by commas or spaces. They remain in "
        "/.well-known/jwks.json, so that old receipts can be checked.",
    )
    retention_acknowledged_days: int | None = Field(
        default=None,
        ge=1,
        le=MAX_RETENTION_DAYS,
        description="Days after which the text of an acknowledged concern is erased. Unset: never.",
    )
    retention_closed_days: int | None = Field(
        default=None,
        ge=1,
        le=MAX_RETENTION_DAYS,
        description="Days after which the text of a closed concern is erased. Unset: never.",
    )
    allowed_origins: CommaSeparated = Field(
        default=(),
        description="Browser origins that may post a concern, separated by commas or spaces. "
        "Public reads are open to every origin.",
    )
    embedding_origins: CommaSeparated = Field(
        default=(), description="Sites (origins) that may show the pages in a frame, separated by commas or spaces."
    )
    council_name: str = Field(
        default="One Minute Guide", max_length=80, description="Name of the council, at the top of every page."
    )
    council_logo: Path | None = Field(
        default=None, description="PNG or SVG file that is shown beside the name at the top of every page."
    )
    council_colour: str = Field(
        default="#1d3d5c",
        pattern=r"^#[0-9a-fA-F]{6}$",
        description="Colour of the band at the top of every page. Its text is black or white, by the band's lightness.",
    )
    council_button_colour: str = Field(
        default="#0b6150",
        pattern=r"^#[0-9a-fA-F]{6}$",
        description="Colour of the buttons. Their text is black or white, likewise.",
    )
    exit_url: str = Field(
        default="https://www.bbc.co.uk/weather",
        pattern=r"^https://[^\s\"'<>]+$",
        description="Neutral page that `Exit this page` opens.",
    )
    anonymous_concerns: bool = Field(default=True, description="Whether a concern may be posted without a client key.")
    openid_issuer: str | None = Field(
        default=None,
        description="Issuer of an OpenID provider whose access tokens are accepted as well as client keys.",
    )
    openid_audience: str | None = Field(default=None, description="Audience that those tokens must name.")
    openid_jwks_url: str | None = Field(
        default=None, description="Address of the provider's keys (JWKS): https, or http on this machine only."
    )
    deliver: bool = Field(
        default=True,
        description="Whether the serving processes push events. `guidance deliver` does it in a process of its own.",
    )
    webhook_allowed_hosts: CommaSeparated = Field(
        default=(),
        description="Host names that webhooks may call although they resolve to private addresses, separated by commas "
        "or spaces.",
    )
    allowed_hosts: CommaSeparated = Field(
        default=(),
        description="Host names at which this service may be called, separated by commas or spaces. The host of "
        "PUBLIC_URL, IP addresses and names without a dot are always allowed. `*.council.example` allows every "
        "subdomain; `*` allows every host.",
    )
    trusted_proxies: CommaSeparated = Field(
        default=(),
        description="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted, "
        "separated by commas or spaces.",
    )
    security_contact: CommaSeparated = Field(
        default=(),
        description="Where to report a vulnerability (mailto:, https: or tel:), for /.well-known/security.txt.",
    )
    security_expires: AwareDatetime | None = Field(
        default=None,
        description="When security.txt expires and the contact must be checked again. Required with SECURITY_CONTACT.",
    )
    limit_concerns: Rate = Field(
        default="300/minute", description="Rate of submissions, checks and additions from one network address."
    )
    limit_status: Rate = Field(default="600/minute", description="Rate of status requests from one address.")
    limit_search: Rate = Field(
        default="600/minute", description="Rate of searches and filtered lists from one address."
    )
    limit_desk: Rate = Field(
        default="600/minute",
        description="Rate of requests for clients from one address, with keys that were not accepted before.",
    )
    limit_clients: Rate = Field(default="6000/minute", description="Rate of all limited requests of one client.")
    limits_store: str = Field(
        default="memory://",
        repr=False,
        description="Where requests are counted: in the memory of each process, or in a store that all processes share "
        "(`redis://...`).",
    )
    limits_secret_file: Path | None = Field(
        default=None,
        description="File with the secret (32 characters or more) with which addresses are hashed: the same for every "
        "process that shares the store. Unset: each process creates its own.",
    )
    connections: int = Field(default=800, ge=1, description="Most connections that one process holds open at a time.")
    client_seconds: float = Field(
        default=30.0,
        gt=0,
        description="Longest wait for a client, in seconds: for the head of a request, for its body, and for it to "
        "receive the response.",
    )
    concurrent_requests: int = Field(
        default=500, ge=1, description="Most requests that one process works on at a time. It answers more with 503."
    )
    drain_seconds: float = Field(
        default=5.0,
        ge=0,
        description="How long a process reports that it is not ready and refuses new writes after SIGTERM, in "
        "seconds, before it stops.",
    )
    writer_queue: int = Field(
        default=2000, ge=1, description="Most writes that may wait for the disk. More are answered with 503."
    )
    writer_wait_seconds: float = Field(
        default=10.0, gt=0, description="Longest wait of one write for the disk, in seconds."
    )
    shelf_megabytes: int = Field(
        default=64,
        ge=0,
        description="Memory for the cache of public responses, in megabytes for each process. 0 turns the cache off.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Lowest level of log lines that are written."
    )

    @property
    def database_address(self) -> str | None:
        """The address of the PostgreSQL database, with its password, or None for the embedded database."""
        return self.database_url.get_secret_value() if self.database_url else None

    @model_validator(mode="after")
    def _check_openid(self) -> Self:
        values = (self.openid_issuer, self.openid_audience, self.openid_jwks_url)
        if any(values) and not all(values):
            raise ValueError(
                "GUIDANCE_OPENID_ISSUER, GUIDANCE_OPENID_AUDIENCE and GUIDANCE_OPENID_JWKS_URL go together"
            )
        return self

    @model_validator(mode="after")
    def _check_security_txt(self) -> Self:
        if bool(self.security_contact) != bool(self.security_expires):
            raise ValueError("GUIDANCE_SECURITY_CONTACT and GUIDANCE_SECURITY_EXPIRES go together")
        return self

    @field_validator("security_contact")
    @classmethod
    def _check_contacts(cls, contacts: tuple[str, ...]) -> tuple[str, ...]:
        if not all(SECURITY_CONTACT.fullmatch(contact) for contact in contacts):
            raise ValueError("each must start with mailto:, https:// or tel:")
        return contacts

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ip_network(proxy)
            except ValueError:
                raise ValueError("each must be an IP address, or a network such as 192.0.2.0/24") from None
        return proxies

    @field_validator("openid_jwks_url")
    @classmethod
    def _check_jwks_url(cls, url: str | None) -> str | None:
        if url is not None and not SAFE_ADDRESS.fullmatch(url):
            raise ValueError("must be an https address, or http on this machine only")
        return url

    @field_validator("council_logo")
    @classmethod
    def _check_logo(cls, logo: Path | None) -> Path | None:
        if logo is not None and (logo.suffix.lower() not in (".png", ".svg") or not logo.is_file()):
            raise ValueError("must be a PNG or SVG file that exists")
        return logo

    @field_validator("embedding_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if not all(ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("each must be an origin such as https://www.council.example, in lower case")
        return origins
