"""All settings, in one frozen class. `app.config.reading` reads them."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from app.config.contact import ContactSettings
from app.config.formats import (
    BrowserOrigins,
    Colour,
    Contacts,
    ExitUrl,
    HostNames,
    HostPatterns,
    LogoFile,
    Moment,
    OneLine,
    Paths,
    Proxies,
    PublicUrl,
    Rate,
    SafeAddress,
    ScopeMapping,
    Seconds,
    Whole,
    WordList,
    refuse_empty,
)
from app.config.groups import faults_of_groups
from app.config.hand_over import HandOverSettings
from app.config.sign_in import SignInSettings

MAX_RETENTION_DAYS = 36_525  # a century; for longer, leave the setting unset
SEED_DIR = Path(__file__).resolve().parent.parent.parent / "seed"


class Settings(SignInSettings, ContactSettings, HandOverSettings):
    """The settings, each from the variable `GUIDANCE_<NAME>`. Every default is safe in production and may be public."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Field(default=Path("data"), description="Folder for the database and the keys.")
    database_url: SecretStr | None = Field(
        default=None,
        description="Address of a PostgreSQL database that several nodes can share: "
        "postgresql+psycopg://user:password@host/name. Unset: SQLite in the data folder.",
    )
    commit: str | None = Field(
        default=None,
        pattern=r"^([0-9a-f]{7,64}|unknown)$",
        description="Commit that this program was built from, for `/v1`, `/metrics` and `guidance --version`.",
    )
    seed_dir: Path = Field(default=SEED_DIR, description="Folder with `guides/`, `signposts.yaml` and `code-lists/`.")
    default_guide: OneLine | None = Field(
        default=None,
        description="The guide of a concern that names none. Unset: the guide that was published first.",
    )
    public_url: PublicUrl = Field(
        default="http://127.0.0.1:8000",
        description="Scheme and host at which callers reach this service, for responses that contain full addresses "
        "(feeds, webhooks, Memento, Open Referral). It is never taken from a request. Unset: the address at which "
        "`guidance serve` listens.",
    )
    seal_to: WordList = Field(
        default=(),
        description="age recipients (public keys) that every concern is sealed to, separated by commas or spaces. "
        "Unset: a trial, with a development identity that is created in the data folder.",
    )
    seal_identity_file: Path | None = Field(
        default=None,
        description="File of age identities with which this process opens concerns for clients. Leave it unset on a "
        "server that only receives. In a trial the development identity is used.",
    )
    receipt_key_file: Path | None = Field(
        default=None,
        description="Ed25519 private key (PEM) that signs receipts. Unset: a key is created in the data folder.",
    )
    retired_receipt_keys: Paths = Field(
        default=(),
        description="Former receipt keys (PEM files), separated by commas or spaces. They remain in "
        "/.well-known/jwks.json, so that old receipts can be checked.",
    )
    webhook_key_file: Path | None = Field(
        default=None,
        description="File of the keys under which the secrets of webhooks are encrypted in the database: the same for "
        "every node that shares it. Unset: a key is created in the data folder when it is first needed.",
    )
    timestamp_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Address of a time stamping authority (RFC 3161), which stamps every checkpoint of the record of "
        "disclosures. Unset: none.",
    )
    backup_folder: Path | None = Field(
        default=None,
        description="Folder with the backups: `guidance backup` writes there if it names no other place, and "
        "`guidance doctor` looks there for the newest. Unset: none.",
    )
    retention_acknowledged_days: Whole | None = Field(
        default=None,
        ge=1,
        le=MAX_RETENTION_DAYS,
        description="Days after which the text of an acknowledged concern is erased. Unset: never.",
    )
    retention_closed_days: Whole | None = Field(
        default=None,
        ge=1,
        le=MAX_RETENTION_DAYS,
        description="Days after which the text of a closed concern is erased. Unset: never.",
    )
    allowed_origins: BrowserOrigins = Field(
        default=(),
        description="Browser origins that may post a concern, separated by commas or spaces. "
        "Public reads are open to every origin.",
    )
    embedding_origins: BrowserOrigins = Field(
        default=(), description="Sites (origins) that may show the pages in a frame, separated by commas or spaces."
    )
    council_name: OneLine = Field(
        default="One Minute Guide", max_length=80, description="Name of the council, at the top of every page."
    )
    council_logo: LogoFile | None = Field(
        default=None, description="PNG or SVG file that is shown beside the name at the top of every page."
    )
    council_colour: Colour = Field(
        default="#1d3d5c",
        description="Colour of the band at the top of every page. Its text is black or white, by the band's lightness.",
    )
    council_button_colour: Colour = Field(
        default="#0b6150",
        description="Colour of the buttons. Their text is black or white, likewise.",
    )
    duty_hours: OneLine | None = Field(
        default=None, max_length=120, description="When the duty team answers, in words, for the pages and the poster."
    )
    accessibility_contact: Contacts = Field(
        default=(), description="Where people say that they cannot use the pages (mailto:, https: or tel:)."
    )
    privacy_contact: Contacts = Field(
        default=(), description="Where people ask about their data, such as the data protection officer."
    )
    privacy_notice_url: SafeAddress | None = Field(
        default=None, description="Address of the council's own privacy notice, which the page here names."
    )
    exit_url: ExitUrl = Field(
        default="https://www.bbc.co.uk/weather",
        description="Neutral page that `Exit this page` opens.",
    )
    anonymous_concerns: bool = Field(default=True, description="Whether a concern may be posted without a client key.")
    openid_issuer: OneLine | None = Field(
        default=None,
        description="Issuer of an OpenID provider whose access tokens are accepted as well as client keys.",
    )
    openid_audience: OneLine | None = Field(default=None, description="Audience that those tokens must name.")
    openid_jwks_url: SafeAddress | None = Field(
        default=None,
        description="Address of the provider's keys (JWKS): https, or http on this machine only. Unset: the issuer's "
        "`/.well-known/openid-configuration` names it.",
    )
    openid_claims: WordList = Field(
        default=(),
        description="Claims besides `scope`, `scp` and `roles` in which the provider names groups or roles, such as "
        "`groups` or `realm_access.roles`, separated by commas or spaces. Only what GUIDANCE_OPENID_SCOPES lists "
        "counts in them.",
    )
    openid_scopes: ScopeMapping | None = Field(
        default=None,
        description="Scopes for the provider's groups, roles and scopes, as a JSON object: "
        '{"Duty Team": ["concerns:read", "concerns:write"]}.',
    )
    openid_person_claim: OneLine = Field(
        default="sub",
        description="Claim that names the person on the record, such as `oid`. A token without it is recorded by "
        "`sub`.",
    )
    deliver: bool = Field(
        default=True,
        description="Whether the serving processes push events and note overdue concerns. `guidance deliver` does it "
        "in a process of its own.",
    )
    webhook_allowed_hosts: HostNames = Field(
        default=(),
        description="Host names that webhooks may call although they resolve to private addresses, separated by commas "
        "or spaces.",
    )
    allowed_hosts: HostPatterns = Field(
        default=(),
        description="Host names at which this service may be called, separated by commas or spaces. The host of "
        "GUIDANCE_PUBLIC_URL, IP addresses and names without a dot are always allowed. `*.council.example` allows "
        "every subdomain; `*` allows every host.",
    )
    trusted_proxies: Proxies = Field(
        default=(),
        description="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted, "
        "separated by commas or spaces.",
    )
    security_contact: Contacts = Field(
        default=(),
        description="Where to report a vulnerability (mailto:, https: or tel:), for /.well-known/security.txt.",
    )
    security_expires: Moment | None = Field(
        default=None,
        description="When security.txt expires and the contact must be checked again. Required with "
        "GUIDANCE_SECURITY_CONTACT.",
    )
    limit_concerns: Rate = Field(
        default="300/minute", description="Rate of submissions, checks and additions from one network address."
    )
    limit_status: Rate = Field(default="600/minute", description="Rate of status requests from one address.")
    limit_code_tries: Rate = Field(
        default="30/minute", description="Rate of wrong codes for one concern, from anywhere."
    )
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
    connections: Whole = Field(
        default=800, ge=1, le=100_000, description="Most connections that one process holds open at a time."
    )
    client_seconds: Seconds = Field(
        default=30.0,
        gt=0,
        description="Longest wait for a client, in seconds: for the head of a request, for its body, and for it to "
        "receive the response.",
    )
    concurrent_requests: Whole = Field(
        default=500,
        ge=1,
        le=100_000,
        description="Most requests that one process works on at a time. It answers more with 503.",
    )
    drain_seconds: Seconds = Field(
        default=5.0,
        ge=0,
        description="How long a process reports that it is not ready and refuses new writes after SIGTERM, in "
        "seconds, before it stops.",
    )
    writer_queue: Whole = Field(
        default=2000,
        ge=1,
        le=1_000_000,
        description="Most writes that may wait for the disk. More are answered with 503.",
    )
    writer_wait_seconds: Seconds = Field(
        default=10.0, gt=0, description="Longest wait of one write for the disk, in seconds."
    )
    shelf_megabytes: Whole = Field(
        default=64,
        ge=0,
        le=65_536,
        description="Memory for the cache of public responses, in megabytes for each process. With 0 none is stored.",
    )
    traces_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s?#]+$",
        description="Address of an OpenTelemetry collector (OTLP over HTTP), such as http://127.0.0.1:4318, which gets "
        "a trace of each request. It needs the extra `traces`. Unset: none.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Lowest level of log lines that are written."
    )

    @property
    def is_https(self) -> bool:
        """True if callers reach this service by https."""
        return self.public_url.startswith("https:")

    @property
    def database_address(self) -> str | None:
        """The address of the PostgreSQL database, with its password, or None for the embedded database."""
        return self.database_url.get_secret_value() if self.database_url else None

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_empty(cls, value: Any) -> Any:
        return refuse_empty(value)

    @model_validator(mode="after")
    def _check_groups(self) -> Self:
        if faults := list(faults_of_groups(dict(self))):
            raise ValueError("\n".join(faults))
        return self
