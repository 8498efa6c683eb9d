"""The forms that values of settings take. Each is strict. A refusal is a sentence, and does not repeat the value."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any

import limits
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

HOST = r"(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\])"
ORIGIN = re.compile(rf"(https?)://{HOST}(?::([1-9][0-9]{{0,4}}))?")
HOST_NAME = re.compile(HOST, flags=re.IGNORECASE)
HOST_PATTERN = re.compile(rf"\*|(?:\*\.)?{HOST}", flags=re.IGNORECASE)
SAFE_ADDRESS = re.compile(
    rf"(?:https://{HOST}|http://(?:localhost|127\.0\.0\.1|\[::1\]))(?::[0-9]{{1,5}})?(?:/[^\s?#]*)?",
    flags=re.IGNORECASE,
)
CONTACT = re.compile(r"(mailto:[^\s@]+@[^\s@]+|https://[^\s/]\S*|tel:\+?[0-9-]+)")
RATE = re.compile(r"[1-9][0-9]{0,8} ?(/|per) ?[0-9]{0,4} ?[a-z]+", flags=re.IGNORECASE)
DATE_AND_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].+")
DEFAULT_PORTS = {"http": "80", "https": "443"}
LAST_PORT = 65_535
MAX_SECONDS = 86_400


def _split_list(value: Any) -> Any:
    """Split at commas and white space. A list that is given and holds nothing is a mistake."""
    if not isinstance(value, str):
        return value
    words = tuple(value.replace(",", " ").split())
    if not words:
        raise ValueError("is an empty list: give it a value, or remove it")
    return words


def _is_origin(text: str) -> bool:
    found = ORIGIN.fullmatch(text)
    return found is not None and int(found[2] or 1) <= LAST_PORT


def _is_browser_origin(text: str) -> bool:
    """Whether a browser can send the text as `Origin`: it never sends the default port."""
    found = ORIGIN.fullmatch(text)
    return found is not None and _is_origin(text) and found[2] != DEFAULT_PORTS[found[1]]


def _is_contact(text: str) -> bool:
    return CONTACT.fullmatch(text) is not None


def is_safe_address(text: str) -> bool:
    """Whether what comes from the address can be trusted on its way: https, or http on this machine."""
    return SAFE_ADDRESS.fullmatch(text) is not None


def _is_network_of_proxies(text: str) -> bool:
    try:
        return ip_network(text).prefixlen > 0
    except ValueError:
        return False


def _is_rate(text: str) -> bool:
    if not RATE.fullmatch(text):
        return False
    try:
        limits.parse(text)
    except ValueError:
        return False
    return True


def _is_one_line(text: str) -> bool:
    return text.isprintable() and text == text.strip()


def _is_logo(path: Path) -> bool:
    return path.suffix.lower() in (".png", ".svg") and path.is_file()


def _each(check: Callable[[str], object], sentence: str) -> AfterValidator:
    """Return a validator that refuses a list with that sentence, unless every word of it passes the check."""

    def validate(words: tuple[str, ...]) -> tuple[str, ...]:
        if not all(check(word) for word in words):
            raise ValueError(sentence)
        return words

    return AfterValidator(validate)


def _must(check: Callable[[Any], object], sentence: str) -> AfterValidator:
    """Return a validator that refuses a value with that sentence, unless it passes the check."""

    def validate(value: Any) -> Any:
        if not check(value):
            raise ValueError(sentence)
        return value

    return AfterValidator(validate)


def _written(pattern: str, sentence: str) -> BeforeValidator:
    """Return a validator that refuses a text that does not have that form, before it is parsed."""

    def validate(value: Any) -> Any:
        if isinstance(value, str) and not re.fullmatch(pattern, value):
            raise ValueError(sentence)
        return value

    return BeforeValidator(validate)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)


def _parse_mapping(value: Any) -> Any:
    """Parse a JSON object whose values are lists, or one word instead of a list of one."""
    if not isinstance(value, str):
        return value
    sentence = 'must be a JSON object such as {"Duty Team": ["concerns:read", "concerns:write"]}, with each name once'
    try:
        parsed = json.loads(value, object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError):
        raise ValueError(sentence) from None
    if not isinstance(parsed, dict) or not parsed:
        raise ValueError(sentence)
    return {name: [granted] if isinstance(granted, str) else granted for name, granted in parsed.items()}


def refuse_empty(value: Any) -> Any:
    """Return the value. Raises `ValueError` for a text that is empty, or has control characters."""
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("is empty: give it a value, or remove it")
        if any(unicodedata.category(character) == "Cc" and not character.isspace() for character in value):
            raise ValueError("has a control character")
    return value


WordList = Annotated[tuple[str, ...], BeforeValidator(_split_list)]
Paths = Annotated[tuple[Path, ...], BeforeValidator(_split_list)]
BrowserOrigins = Annotated[
    WordList,
    _each(
        _is_browser_origin,
        "each must be an origin as browsers send it, such as https://www.council.example: in lower case, without a "
        "path or the default port. Neither `*` nor `null` is allowed",
    ),
]
HostNames = Annotated[
    WordList, _each(HOST_NAME.fullmatch, "each must be the name of a host, without a scheme, a port or a path")
]
HostPatterns = Annotated[
    WordList,
    _each(
        HOST_PATTERN.fullmatch,
        "each must be the name of a host, `*.` and a name, or `*`, without a scheme, a port or a path",
    ),
]
Proxies = Annotated[
    WordList,
    _each(
        _is_network_of_proxies,
        "each must be an IP address, or a network such as 192.0.2.0/24, and not the whole internet",
    ),
]
Contacts = Annotated[WordList, _each(_is_contact, "each must start with mailto:, https:// or tel:")]
ScopeMapping = Annotated[Mapping[str, tuple[str, ...]], BeforeValidator(_parse_mapping)]
PublicUrl = Annotated[
    str,
    _must(
        lambda url: _is_origin(url.lower()),
        "must be a scheme and a host such as https://guidance.council.example, alone",
    ),
]
SafeAddress = Annotated[str, _must(is_safe_address, "must be an https address, or http on this machine only")]
OneLine = Annotated[str, _must(_is_one_line, "must be one line of text, without spaces around it")]
Rate = Annotated[str, _must(_is_rate, "must be a rate such as 300/minute, of 1 or more")]
Colour = Annotated[str, _written(r"#[0-9a-fA-F]{6}", "must be a colour such as #1d3d5c")]
ExitUrl = Annotated[str, _written(r"https://[^\s\"'<>]+", "must be an https address")]
LogoFile = Annotated[Path, _must(_is_logo, "must be a PNG or SVG file that exists")]
Whole = Annotated[int, _written(r"[0-9]{1,9}", "must be a whole number, in plain digits")]
Seconds = Annotated[
    float,
    _written(r"[0-9]{1,9}(\.[0-9]{1,9})?", "must be a number of seconds, in plain digits"),
    Field(le=MAX_SECONDS, allow_inf_nan=False),
]
Moment = Annotated[
    AwareDatetime, _written(DATE_AND_TIME.pattern, "must be a date and a time with its zone: 2027-03-31T12:00:00Z")
]
