"""The settings: one frozen class, read from the environment and a file. All faults are reported together."""

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import limits
import pyrage
from dotenv.parser import parse_stream
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from app.build import built_commit

PREFIX = "GUIDANCE_"
SEED_DIR = Path(__file__).resolve().parent.parent / "seed"
TRIAL_DIR = SEED_DIR.with_name("trial_seed")
MAX_RETENTION_DAYS = 36_525  # a century; to keep concerns for longer, leave the setting unset
MAX_SECONDS = 86_400
MAX_BODY_LENGTH = 300
LONGEST_SESSION_HOURS = 168
LAST_PORT = 65_535
LOOPBACK_NAME = "localhost"
ROLES_WITH_CARDS = ("reader", "worker", "lead")
"""All roles that can open concerns."""
NO_CARDS = "none"
DEFAULT_PORTS = {"http": "80", "https": "443"}
HOST = r"(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\])"
ORIGIN = re.compile(rf"(https?)://{HOST}(?::([1-9][0-9]{{0,4}}))?")
SAFE_ADDRESS = re.compile(
    rf"(?:https://{HOST}|http://(?:localhost|127\.0\.0\.1|\[::1\]))(?::[0-9]{{1,5}})?(?:/[^\s?#]*)?",
    flags=re.IGNORECASE,
)
RATE = re.compile(r"[1-9][0-9]{0,8} ?(/|per) ?[0-9]{0,4} ?[a-z]+", flags=re.IGNORECASE)
OF_CALLERS = frozenset({"desk_url", "desk_key", "url", "key"})
"""Settings of programs that call the service, such as `guidance desk open`: the service ignores them."""
OF_UNITS = ("LISTEN_ON", "PORT", "DOCTOR_MAIL")
"""Variables for systemd units, which may be in the same file: ignored."""
OF_KUBERNETES = re.compile(r"(\w{1,63}_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_[0-9]+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)")
ADDRESS_OF_KUBERNETES = re.compile(r"(tcp|udp|sctp)://.*")
NEEDS = {
    "duty_to_report_text": "duty_to_report_from",
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
    "smtp_to_editors": "smtp_host",
    "smtp_username": "smtp_password_file",
    "smtp_password_file": "smtp_username",  # nosec B105  # the name of a setting
}
"""Settings that need another setting, each with the name of that one."""
ADDRESS_FILE = "address.txt"
"""Holds the address at which the service last listened, unless it has a `GUIDANCE_PUBLIC_URL`."""
HELD_FILE = "held-guidance"
NAME = "One Minute Guide"
DESCRIPTION = (
    "A council's safeguarding guides as versioned, structured data, and confidential reporting of concerns about "
    "children."
)


class Part(StrEnum):
    """A system outside the service. A setting that names one is annotated with its kind.

    `app.services.operations.external_services` checks each but the database and the public URL.
    """

    DATABASE = "database"
    PUBLIC_URL = "public-url"
    EMAIL = "email"
    OPENID = "openid"
    LIMITS = "limits-store"
    TRACES = "traces"
    PAGES = "links"


class Renamed(NamedTuple):
    """The name of a setting today, and the day until which its old name is taken."""

    now: str
    until: dt.date


RENAMED = {"shelf_megabytes": Renamed("cache_megabytes", dt.date(2027, 12, 31))}
"""By old name. A release that renames a setting adds a row, and takes the old name for a year."""


class SettingsRefused(Exception):
    """The message has a line for each fault, but no setting's value."""


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == LOOPBACK_NAME


def is_safe_address(text: str) -> bool:
    """Return True if `text` is an https URL, or an http URL on this host, without query and fragment."""
    return SAFE_ADDRESS.fullmatch(text) is not None


def _is_origin(text: str) -> bool:
    found = ORIGIN.fullmatch(text)
    return found is not None and int(found[2] or 1) <= LAST_PORT


def _is_browser_origin(text: str) -> bool:
    """A browser never sends the default port."""
    found = ORIGIN.fullmatch(text)
    return found is not None and _is_origin(text) and found[2] != DEFAULT_PORTS[found[1]]


def _is_network_of_proxies(text: str) -> bool:
    try:
        return ip_network(text).prefixlen > 0
    except ValueError:
        return False


def _is_rate(text: str) -> bool:
    try:
        return RATE.fullmatch(text) is not None and limits.parse(text) is not None
    except ValueError:
        return False


def _must(check: Callable[[Any], object], sentence: str) -> AfterValidator:
    """The error is `sentence`, if a value, or an item of a tuple, fails `check`."""

    def validate(value: Any) -> Any:
        if not all(check(each) for each in (value if isinstance(value, tuple) else (value,))):
            raise ValueError(sentence)
        return value

    return AfterValidator(validate)


def _written(pattern: re.Pattern[str], sentence: str) -> BeforeValidator:
    """As `_must`, but before parsing."""

    def validate(value: Any) -> Any:
        if isinstance(value, str) and not pattern.fullmatch(value):
            raise ValueError(sentence)
        return value

    return BeforeValidator(validate)


def _split_list(value: Any) -> Any:
    """A value that is not a text stays unchanged."""
    if not isinstance(value, str):
        return value
    words = tuple(value.replace(",", " ").split())
    if not words:
        raise ValueError("must not be an empty list: set a value or remove it")
    return words


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)


def _json_object(check: Callable[[dict[str, Any]], dict[str, Any]], sentence: str) -> BeforeValidator:
    """Without repeated names; an empty object is refused."""

    def validate(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            parsed = json.loads(value, object_pairs_hook=_without_repetition)
            if not isinstance(parsed, dict) or not parsed:
                raise ValueError
            return check(parsed)
        except (ValueError, TypeError, RecursionError, pyrage.RecipientError):
            raise ValueError(sentence) from None

    return BeforeValidator(validate)


def _check_bodies(parsed: dict[str, Any]) -> dict[str, Any]:
    """A recipient (an age public key) by organisation, each another."""
    for body, recipient in parsed.items():
        pyrage.x25519.Recipient.from_str(recipient)
        if not _is_one_line(body) or not 0 < len(body) <= MAX_BODY_LENGTH:
            raise ValueError
    if len(set(parsed.values())) != len(parsed):
        raise ValueError
    return parsed


def _is_one_line(text: str) -> bool:
    return text.isprintable() and text == text.strip()


def _without_none(roles: tuple[str, ...]) -> tuple[str, ...]:
    if NO_CARDS in roles and len(roles) > 1:
        raise ValueError("`none` cannot be combined with roles")
    return () if NO_CARDS in roles else roles


WordList = Annotated[tuple[str, ...], BeforeValidator(_split_list)]

Paths = Annotated[tuple[Path, ...], BeforeValidator(_split_list)]

BrowserOrigins = Annotated[
    WordList,
    _must(
        _is_browser_origin,
        "each must be an origin as browsers send it, such as https://www.council.example: lower case, without path or "
        "default port, and not `*` or `null`",
    ),
]

HostNames = Annotated[
    WordList, _must(re.compile(HOST, re.IGNORECASE).fullmatch, "each must be a host name, without scheme, port or path")
]

HostPatterns = Annotated[
    WordList,
    _must(
        re.compile(rf"\*|(?:\*\.)?{HOST}", re.IGNORECASE).fullmatch,
        "each must be a host name, `*.` and a name, or `*`, without scheme, port or path",
    ),
]

Proxies = Annotated[
    WordList,
    _must(
        _is_network_of_proxies,
        "each must be an IP address, or a network such as 192.0.2.0/24, and not the whole internet",
    ),
]

Contacts = Annotated[
    WordList,
    _must(
        re.compile(r"(mailto:[^\s@]+@[^\s@]+|https://[^\s/]\S*|tel:\+?[0-9-]+)").fullmatch,
        "each must start with mailto:, https:// or tel:",
    ),
]

ARE_EMAILS = _must(
    re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+").fullmatch, "must be email addresses, such as duty@council.example"
)

ScopeMapping = Annotated[
    Mapping[str, tuple[str, ...]],
    _json_object(
        lambda parsed: {name: [each] if isinstance(each, str) else each for name, each in parsed.items()},
        'must be a JSON object such as {"Duty Team": ["concerns:read", "concerns:write"]}, with each name once',
    ),
]

Bodies = Annotated[
    Mapping[str, str],
    _json_object(
        _check_bodies,
        'must be a JSON object such as {"Example Council": "age1..."}, with each body and each recipient once',
    ),
]

PublicUrl = Annotated[
    str,
    _must(
        lambda url: _is_origin(url.lower()),
        "must be only a scheme and host, such as https://guidance.council.example",
    ),
]

SafeAddress = Annotated[str, _must(is_safe_address, "must be an https address, or http on this machine only")]

OneLine = Annotated[str, _must(_is_one_line, "must be one line of text, without spaces around it")]

Rate = Annotated[str, _must(_is_rate, "must be a rate such as 300/minute, of 1 or more")]

Colour = Annotated[str, _written(re.compile(r"#[0-9a-fA-F]{6}"), "must be a colour such as #1d3d5c")]

PhoneNumber = Annotated[str, _written(re.compile(r"0(?: ?[0-9]){9,10}"), "must be a phone number such as 01632 960009")]

ExitUrl = Annotated[str, _written(re.compile(r"https://[^\s\"'<>]+"), "must be an https address")]

CollectorUrl = Annotated[
    str,
    _written(
        re.compile(r"https?://[^\s?#]+"),
        "must be an http or https address without a query, such as http://127.0.0.1:4318",
    ),
]

Commit = Annotated[
    str,
    _written(
        re.compile(r"[0-9a-f]{7,64}|unknown"), "must be the hash of a commit, of 7 to 64 characters, or `unknown`"
    ),
]

LogoFile = Annotated[
    Path,
    _must(
        lambda path: path.suffix.lower() in (".png", ".svg") and path.is_file(), "must be a PNG or SVG file that exists"
    ),
]

Whole = Annotated[int, _written(re.compile(r"[0-9]{1,9}"), "must be a whole number, in plain digits")]

CardRoles = Annotated[
    WordList,
    _must(
        lambda role: role in ROLES_WITH_CARDS or role == NO_CARDS,
        "must be one or more of the roles reader, worker and lead, or `none`",
    ),
    AfterValidator(_without_none),
]

Seconds = Annotated[
    float,
    _written(re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?"), "must be a number of seconds, in plain digits"),
    Field(le=MAX_SECONDS, allow_inf_nan=False),
]

Day = Annotated[dt.date, _written(re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "must be a date such as 2027-09-01")]

Moment = Annotated[
    AwareDatetime,
    _written(
        re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].+"),
        "must be a date and a time with its zone: 2027-03-31T12:00:00Z",
    ),
]


class Settings(BaseModel):
    """The settings, each from the variable `GUIDANCE_<NAME>`. Every default is safe in production, and not secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    _old_names: tuple[str, ...] = PrivateAttr(default=())
    data_dir: Path = Path("data")
    database_url: Annotated[SecretStr | None, Part.DATABASE] = None
    commit: Commit | None = None
    extensions: WordList | None = None
    seed_dir: Path = SEED_DIR
    default_guide: OneLine | None = None
    public_url: Annotated[PublicUrl, Part.PUBLIC_URL] = "http://127.0.0.1:8000"

    # keys and retention
    seal_to: WordList = ()
    seal_identity_file: Path | None = None
    receipt_key_file: Path | None = None
    retired_receipt_keys: Paths = ()
    webhook_key_file: Path | None = None
    access_key_file: Path | None = None
    backup_folder: Path | None = None
    accepted_warnings: WordList = ()
    retention_acknowledged_days: Whole | None = Field(None, ge=1, le=MAX_RETENTION_DAYS)
    retention_closed_days: Whole | None = Field(None, ge=1, le=MAX_RETENTION_DAYS)

    # pages
    allowed_origins: BrowserOrigins = ()
    embedding_origins: BrowserOrigins = ()
    council_name: OneLine = Field("One Minute Guide", max_length=80)
    council_logo: LogoFile | None = None
    council_colour: Colour = "#1d3d5c"
    council_button_colour: Colour = "#0b6150"
    duty_hours: OneLine | None = Field(None, max_length=120)
    out_of_hours_phone: PhoneNumber | None = None
    accessibility_contact: Annotated[Contacts, Part.PAGES] = ()
    privacy_contact: Annotated[Contacts, Part.PAGES] = ()
    data_complaints_contact: Annotated[Contacts, Part.PAGES] = ()
    adults_contact: Annotated[Contacts, Part.PAGES] = ()
    complaints_contact: Annotated[Contacts, Part.PAGES] = ()
    bsl_film: Annotated[SafeAddress | None, Part.PAGES] = None
    privacy_notice_url: Annotated[SafeAddress | None, Part.PAGES] = None
    duty_to_report_from: Day | None = None
    duty_to_report_text: OneLine | None = Field(None, max_length=400)
    exit_url: Annotated[ExitUrl, Part.PAGES] = "https://www.bbc.co.uk/weather"

    # access
    anonymous_concerns: bool = True
    two_people_publish: bool = False
    two_people_erase: bool = False
    openid_issuer: Annotated[OneLine | None, Part.OPENID] = None
    openid_audience: OneLine | None = None
    openid_jwks_url: Annotated[SafeAddress | None, Part.OPENID] = None
    openid_claims: WordList = ()
    openid_scopes: ScopeMapping | None = None
    openid_person_claim: OneLine = "sub"
    openid_name_claim: OneLine = "name"
    openid_client_id: OneLine | None = None
    openid_client_secret: SecretStr | None = None
    openid_request_scopes: OneLine = "openid profile"
    desk_idle_minutes: Whole = Field(30, ge=1, le=720)
    desk_session_hours: Whole = Field(12, ge=1, le=LONGEST_SESSION_HOURS)
    hand_over_bodies: Bodies | None = None
    cards: CardRoles = ROLES_WITH_CARDS

    # deadlines and deliveries
    come_back_days: Whole = Field(2, ge=1, le=20)
    acknowledge_danger_minutes: Whole = Field(60, ge=1, le=1440)
    acknowledge_not_sure_minutes: Whole = Field(240, ge=1, le=1440)
    due_soon_minutes: Whole = Field(240, ge=1, le=1440)
    smtp_host: Annotated[OneLine | None, Part.EMAIL] = None
    smtp_port: Whole = Field(587, ge=1, le=LAST_PORT)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_username: OneLine | None = None
    smtp_password_file: Path | None = None
    smtp_from: Annotated[OneLine, ARE_EMAILS] | None = None
    smtp_to: Annotated[WordList, ARE_EMAILS] = ()
    smtp_to_editors: Annotated[WordList, ARE_EMAILS] = ()
    deliver: bool = True
    webhook_allowed_hosts: HostNames = ()

    # network and limits
    allowed_hosts: HostPatterns = ()
    trusted_proxies: Proxies = ()
    security_contact: Annotated[Contacts, Part.PAGES] = ()
    security_expires: Moment | None = None
    limit_concerns: Rate = "300/minute"
    limit_anonymous: Rate = "200/hour"
    limit_unmarked: Rate = "20/day"
    limit_flood: Rate = "50000/day"
    limit_status: Rate = "600/minute"
    limit_code_tries: Rate = "30/minute"
    limit_wrong_codes: Rate = "300/minute"
    limit_search: Rate = "600/minute"
    limit_desk: Rate = "600/minute"
    limit_sign_in: Rate = "60/minute"
    limit_clients: Rate = "6000/minute"
    limits_store: Annotated[str, Part.LIMITS] = Field("memory://", repr=False)
    limits_secret_file: Path | None = None
    connections: Whole = Field(800, ge=1, le=100_000)
    client_seconds: Seconds = Field(30.0, gt=0)
    concurrent_requests: Whole = Field(500, ge=1, le=100_000)
    drain_seconds: Seconds = Field(5.0, ge=0)
    writer_queue: Whole = Field(2000, ge=1, le=1_000_000)
    writer_wait_seconds: Seconds = Field(10.0, gt=0)
    cache_megabytes: Whole = Field(64, ge=0, le=65_536)
    traces_url: Annotated[CollectorUrl | None, Part.TRACES] = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def renamed(self) -> list[str]:
        """A sentence for each setting that was given by its old name."""
        return [
            f"{PREFIX}{old.upper()} is now {PREFIX}{RENAMED[old].now.upper()}: the old name is taken until "
            f"{RENAMED[old].until.isoformat()}"
            for old in self._old_names
        ]

    @property
    def council(self) -> str | None:
        """None if it is not set."""
        return self.council_name if "council_name" in self.model_fields_set else None

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https:")

    @property
    def is_trial(self) -> bool:
        """Concerns are then encrypted to a key beside the database, so the service must not take real concerns."""
        return not self.seal_to

    @property
    def first_guides(self) -> Path:
        """Folder of the guides that a first start publishes. An installation has an invented one, for trials alone."""
        has_none = self.seed_dir == SEED_DIR and not (SEED_DIR / "guides").is_dir()
        return TRIAL_DIR if self.is_trial and has_none else self.seed_dir

    @property
    def database_address(self) -> str | None:
        """With its password. None for the embedded database."""
        return self.database_url.get_secret_value() if self.database_url else None

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_empty(cls, value: Any) -> Any:
        if isinstance(value, str):
            if not value.strip():
                raise ValueError("must not be empty: set a value or remove it")
            if any(unicodedata.category(character) == "Cc" and not character.isspace() for character in value):
                raise ValueError("has a control character")
        return value

    @model_validator(mode="after")
    def _check_groups(self) -> Self:
        if faults := list(_faults_of_groups(dict(self))):
            raise ValueError("\n".join(faults))
        return self


def settings_at(settings: Settings, address: str) -> Settings:
    """A public URL that is set stays. The new one still counts as not set."""
    if "public_url" in settings.model_fields_set:
        return settings
    moved = settings.model_copy(update={"public_url": address})
    moved.model_fields_set.discard("public_url")
    return moved


def settings_as_served(settings: Settings) -> Settings:
    """Use the address at which the service of this data folder last listened, unless a public URL is set."""
    try:
        address = (settings.data_dir / ADDRESS_FILE).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return settings
    return settings_at(settings, address) if _is_origin(address) else settings


def parse_settings(
    environment: Mapping[str, str], *, file: Path | None = None, data_dir: Path | None = None
) -> Settings:
    """The environment overrides `file`, `data_dir` overrides both. Raise `SettingsRefused` with every fault found."""
    faults: list[str] = []
    given: dict[str, Any] = _collect(_read_file(file, faults) if file is not None else iter(()), faults)
    given |= _collect(_in_environment(environment), faults)
    old_names = [name for name in given if name in RENAMED]
    for name in old_names:
        given.setdefault(RENAMED[name].now, given.pop(name))
    if "commit" not in given and (commit := built_commit(environment)) is not None:
        given["commit"] = commit
    if data_dir is not None:
        given["data_dir"] = data_dir
    try:
        settings = Settings.model_validate(given)
    except ValidationError as refusal:
        told = refusal.errors(include_url=False, include_input=False)
        faults += [_sentence(fault) for fault in told if fault["loc"]]  # faults of groups of settings have no location
        faults += _faults_of_groups(given)
    if faults:
        raise SettingsRefused("\n".join(dict.fromkeys(faults)))
    settings._old_names = tuple(old_names)
    return settings


def _faults_of_groups(given: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each that needs a missing setting, or that another setting makes unsafe."""
    for name, needed in NEEDS.items():
        if given.get(name) and not given.get(needed):
            yield f"{PREFIX}{name.upper()} needs {PREFIX}{needed.upper()} too"
    if given.get("smtp_username") and given.get("smtp_security") == "none":
        yield f"{PREFIX}SMTP_PASSWORD_FILE would be sent unencrypted: {PREFIX}SMTP_SECURITY must not be none"
    issuer = given.get("openid_issuer")
    if issuer and not given.get("openid_jwks_url") and not is_safe_address(issuer):
        yield f"{PREFIX}OPENID_ISSUER must be an https address if {PREFIX}OPENID_JWKS_URL is not set"
    elif issuer and given.get("openid_client_id") and not is_safe_address(issuer):
        yield f"{PREFIX}OPENID_ISSUER must be an https address if {PREFIX}OPENID_CLIENT_ID is set"


def _in_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """In lower case, without prefix and without what Kubernetes sets with the same prefix."""
    for name, value in environment.items():
        short = name.upper().removeprefix(PREFIX)
        is_foreign = OF_KUBERNETES.fullmatch(short) or (
            short.endswith("PORT") and ADDRESS_OF_KUBERNETES.fullmatch(value)
        )
        if name.upper().startswith(PREFIX) and short.lower() not in OF_CALLERS and not is_foreign:
            yield short.lower(), value


def _read_file(file: Path, faults: list[str]) -> Iterator[tuple[str, str]]:
    """Variables in a value are not expanded. A sentence for each invalid line is added to `faults`."""
    try:
        with file.open(encoding="utf-8-sig") as stream:
            lines = list(parse_stream(stream))
    except (OSError, ValueError):
        faults.append(f"{file}: not a readable text file")
        return
    for line in lines:
        if line.error or (line.key is not None and line.value is None):
            faults.append(f"{file}, line {line.original.line}: must be NAME=value")
        elif line.key in OF_UNITS:
            continue
        elif line.key is not None and not line.key.upper().startswith(PREFIX):
            faults.append(f"{file}, line {line.original.line}: setting names start with {PREFIX}")
        elif line.key is not None and line.value is not None:
            yield line.key.upper().removeprefix(PREFIX).lower(), line.value


def _collect(pairs: Iterator[tuple[str, str]], faults: list[str]) -> dict[str, str]:
    """Of a name that is set twice, the last value counts, and `faults` gets a sentence."""
    collected: dict[str, str] = {}
    for name, value in pairs:
        if name in collected:
            faults.append(f"{PREFIX}{name.upper()}: set twice")
        collected[name] = value
    return collected


def _sentence(fault: ErrorDetails) -> str:
    name, message = str(fault["loc"][0]), fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(name, Settings.model_fields, n=1)
        message = "unknown setting" + (f". Did you mean {PREFIX}{near[0].upper()}?" if near else "")
    return f"{PREFIX}{name.upper()}: {message}"
