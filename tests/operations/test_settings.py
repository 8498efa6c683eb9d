"""Settings fail closed: what is unknown, empty or loosely written is refused, all of it at once, by its whole name."""

import re
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pyrage
import pytest
from annotated_types import Ge, Gt, Le
from pydantic import ValidationError
from typer.testing import CliRunner

from app.cli.commands import app
from app.config import RENAMED, Settings, SettingsRefused, parse_settings
from app.errors import SetupError
from app.main import create_app
from tests.support.command import every_command, guidance
from tests.support.live import LiveServer
from tests.support.loops import for_each

pytestmark = pytest.mark.any_database

EMPTY = "must not be empty: set a value or remove it"
NOT_AN_ORIGIN = (
    "each must be an origin as browsers send it, such as https://www.council.example: lower case, without path or "
    "default port, and not `*` or `null`"
)


def refusal(file: Path | None = None, /, **environment: str) -> list[str]:
    """Read those settings, and return the lines of the refusal; without one, none."""
    try:
        parse_settings({f"GUIDANCE_{name}": value for name, value in environment.items()}, file=file)
    except SettingsRefused as refused:
        return str(refused).splitlines()
    return []


@for_each(
    ("misspelt", "meant"),
    [
        ("SEALTO", " Did you mean GUIDANCE_SEAL_TO?"),
        ("PUBLIC_URI", " Did you mean GUIDANCE_PUBLIC_URL?"),
        ("ANONYMOUS_CONCERN", " Did you mean GUIDANCE_ANONYMOUS_CONCERNS?"),
        ("XYZZY", ""),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest_name(misspelt: str, meant: str) -> None:
    assert refusal(**{misspelt: "value"}) == [f"GUIDANCE_{misspelt}: unknown setting{'.' if meant else ''}{meant}"]


@for_each("old", sorted(RENAMED))
def test_an_old_name_is_taken_with_a_warning_for_a_year(old: str) -> None:
    now, until = RENAMED[old]

    renamed = parse_settings({f"GUIDANCE_{old.upper()}": "7"})
    both = parse_settings({f"GUIDANCE_{old.upper()}": "7", f"GUIDANCE_{now.upper()}": "8"})

    assert (getattr(renamed, now), getattr(both, now)) == (7, 8)
    assert (
        renamed.renamed
        == both.renamed
        == [f"GUIDANCE_{old.upper()} is now GUIDANCE_{now.upper()}: the old name is taken until {until.isoformat()}"]
    )
    assert renamed.model_copy(update={"log_level": "error"}).renamed == renamed.renamed
    assert old not in Settings.model_fields


def test_a_start_logs_the_old_name_of_a_setting(tmp_path: Path) -> None:
    given: dict[str, Any] = dict.fromkeys(RENAMED, "7")
    with LiveServer(tmp_path / "data", **given) as server:
        assert '"setting_renamed"' in server.log.read_text()


@pytest.mark.slow
@for_each(("name", "value"), [(name, value) for name in sorted(Settings.model_fields) for value in ("", "  ")])
def test_an_empty_setting_is_refused_and_never_means_the_default(name: str, value: str) -> None:
    assert refusal(**{name.upper(): value})[0] == f"GUIDANCE_{name.upper()}: {EMPTY}"


@pytest.mark.slow
@for_each("name", sorted(Settings.model_fields))
def test_a_refusal_is_words_and_no_regular_expression(name: str) -> None:
    told = " ".join(refusal(**{name.upper(): "\\ no value of any setting"}))

    assert "pattern" not in told
    assert not re.search(r"[\^\\$|]|\]\+|\]\*", told), told


@for_each("name", ["SEAL_TO", "TRUSTED_PROXIES", "ALLOWED_ORIGINS", "RETIRED_RECEIPT_KEYS"])
def test_a_list_of_nothing_but_commas_is_refused_as_empty(name: str) -> None:
    assert refusal(**{name: " , ,"}) == [f"GUIDANCE_{name}: must not be an empty list: set a value or remove it"]


def test_every_fault_is_in_one_refusal_and_no_value_is(tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_text(
        "GUIDANCE_SEELTO=a-secret-word\nSEAL_TO=a-secret-word\nGUIDANCE_DELIVER\nGUIDANCE_LOG_LEVEL=a-secret-word\n"
    )

    lines = refusal(file, CONNECTIONS="a-secret-word", COUNCIL_NAME="", OPENID_AUDIENCE="a-secret-word", SHELF="5")

    assert sorted(line.split(":")[0] for line in lines) == sorted(
        [
            "GUIDANCE_SEELTO",
            f"{file}, line 2",
            f"{file}, line 3",
            "GUIDANCE_LOG_LEVEL",
            "GUIDANCE_CONNECTIONS",
            "GUIDANCE_COUNCIL_NAME",
            "GUIDANCE_SHELF",
            "GUIDANCE_OPENID_AUDIENCE needs GUIDANCE_OPENID_ISSUER too",
        ]
    )
    assert "a-secret-word" not in "".join(lines)


LOOSE = {
    "ALLOWED_ORIGINS": [
        (value, NOT_AN_ORIGIN)
        for value in (
            "*",
            "null",
            "https://www.council.example/",
            "https://www.council.example/form",
            "https://WWW.council.example",
            "https://www.council.example:443",
            "http://www.council.example:80",
            "https://www.council.example:99999",
            "https://worker@www.council.example",
            "www.council.example",
            "https://www.council.example https://other.example/x",
            "https://réseau.example",
        )
    ],
    "EMBEDDING_ORIGINS": [("https://www.council.example:443", NOT_AN_ORIGIN), ("*", NOT_AN_ORIGIN)],
    "PUBLIC_URL": [
        (value, "must be only a scheme and host, such as https://guidance.council.example")
        for value in (
            "https://a:secret@council.example",
            "https://council example",
            "council.example",
            "https://a.example/b",
        )
    ],
    "ALLOWED_HOSTS": [
        (value, "each must be a host name, `*.` and a name, or `*`, without scheme, port or path")
        for value in ("https://council.example", "council.example:8000", "a.*.example", "*council.example")
    ],
    "WEBHOOK_ALLOWED_HOSTS": [
        (value, "each must be a host name, without scheme, port or path")
        for value in ("https://council.example", "*", "*.council.example")
    ],
    "TRUSTED_PROXIES": [
        (value, "each must be an IP address, or a network such as 192.0.2.0/24, and not the whole internet")
        for value in ("0.0.0.0/0", "::/0", "*", "proxy.example", "192.0.2.1/24")
    ],
    "LIMIT_CONCERNS": [
        (value, "must be a rate such as 300/minute, of 1 or more")
        for value in ("0/minute", "300/minute;1/hour", "300", "300/fortnight", "-1/minute")
    ],
    "CONNECTIONS": [
        (value, "must be a whole number, in plain digits") for value in ("8.0", "1_000", "٣", "-1", " 8", "1e3")
    ],
    "CLIENT_SECONDS": [
        (value, "must be a number of seconds, in plain digits") for value in ("inf", "nan", "1e3", "-1", "1_0", ".5")
    ],
    "DRAIN_SECONDS": [("1000000", "Input should be less than or equal to 86400")],
    "SECURITY_EXPIRES": [("1800000000", "must be a date and a time with its zone: 2027-03-31T12:00:00Z")],
    "COUNCIL_NAME": [
        ("Example\nCouncil", "must be one line of text, without spaces around it"),
        ("A\x7fB", "has a control character"),
    ],
    "OPENID_SCOPES": [
        (
            value,
            'must be a JSON object such as {"Duty Team": ["concerns:read", "concerns:write"]}, with each name once',
        )
        for value in ("Duty=concerns:read", "[]", "{}", '{"a": "audit:read", "a": "concerns:read"}', "[" * 100_000)
    ],
}


@pytest.mark.slow
@for_each(("name", "value", "sentence"), [(name, *each) for name, cases in LOOSE.items() for each in cases])
def test_a_loosely_written_value_is_refused_with_a_sentence(name: str, value: str, sentence: str) -> None:
    companions = {"OPENID_SCOPES": {"OPENID_ISSUER": "https://a.example", "OPENID_AUDIENCE": "api"}}.get(name, {})
    if name == "SECURITY_EXPIRES":
        companions = {"SECURITY_CONTACT": "mailto:security@council.example"}

    assert refusal(**companions, **{name: value})[0] == f"GUIDANCE_{name}: {sentence}"


def test_well_written_values_are_read(tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_text(
        "\ufeff# a comment\nexport GUIDANCE_COUNCIL_NAME='Example Council'\nGUIDANCE_LOG_LEVEL=debug # a comment\n"
        'GUIDANCE_LIMITS_STORE="redis://:pa${SS}word@cache.example"\n',
        encoding="utf-8",
    )
    environment = {
        "GUIDANCE_LOG_LEVEL": "error",
        "guidance_connections": "12",
        "GUIDANCE_ALLOWED_ORIGINS": "https://forms.council.example, http://intranet:8080 http://[::1]:9000\n",
        "GUIDANCE_ALLOWED_HOSTS": "*.council.example Guidance.Example",
        "GUIDANCE_PUBLIC_URL": "http://[::1]:8000",
        "GUIDANCE_CLIENT_SECONDS": "0.5",
        "GUIDANCE_LIMIT_DESK": "5 per 2 minutes",
        "SOMETHING_ELSE": "",
    }

    settings = parse_settings(environment, file=file, data_dir=tmp_path)

    assert (settings.council_name, settings.log_level, settings.connections) == ("Example Council", "error", 12)
    assert settings.limits_store == "redis://:pa${SS}word@cache.example"
    assert settings.allowed_origins == ("https://forms.council.example", "http://intranet:8080", "http://[::1]:9000")
    assert (settings.data_dir, settings.client_seconds) == (tmp_path, 0.5)


def test_names_of_other_programs_under_the_same_prefix_are_ignored() -> None:
    kubernetes = {"SERVICE_HOST": "10.0.0.1", "SERVICE_PORT_HTTP": "80", "PORT_8000_TCP_ADDR": "10.0.0.1"}

    assert refusal(**kubernetes, DB_PORT="tcp://10.0.0.1:5432", PORT="tcp://10.0.0.1:80") == []
    assert refusal(DESK_URL="https://guidance.example", DESK_KEY="omg_invented") == []
    assert refusal(UMBRELLA="9000") == ["GUIDANCE_UMBRELLA: unknown setting"]


def test_a_setting_that_is_given_twice_has_no_clear_value(tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_text("GUIDANCE_LOG_LEVEL=debug\nguidance_log_level=error\n")

    assert refusal(file) == ["GUIDANCE_LOG_LEVEL: set twice"]


@pytest.mark.parametrize("content", [b"GUIDANCE_COUNCIL_NAME=\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "settings.env"
    if content is not None:
        file.write_bytes(content)

    assert refusal(file) == [f"{file}: not a readable text file"]


def test_every_number_has_a_least_and_a_greatest_value() -> None:
    numbers = {name: field for name, field in Settings.model_fields.items() if isinstance(field.default, int | float)}
    numbers = {name: field for name, field in numbers.items() if not isinstance(field.default, bool)}

    assert len(numbers) > 5
    for name, field in numbers.items():
        assert any(isinstance(each, Ge | Gt) for each in field.metadata), name
        assert any(isinstance(each, Le) for each in field.metadata), name


@pytest.mark.parametrize(
    "given", [{"seal_identity_file": "identity.txt"}, {"openid_scopes": {"Duty Team": ["audit:read"]}}]
)
def test_a_setting_that_means_nothing_without_another_is_refused_without_it(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"GUIDANCE_\w+ needs GUIDANCE_\w+ too"):
        Settings(**given)


READING = [
    each for each in every_command() if any(p.name == "env_file" for p in each[1].params) and each[0] != "doctor"
]


@pytest.mark.parametrize("command", [pytest.param(command, id=words) for words, command in READING])
def test_every_command_that_reads_settings_refuses_what_it_does_not_know(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUIDANCE_SEALTO", "age1invented")
    needed = {each.name: MagicMock() for each in command.params if each.required}
    others = {each.name: None for each in command.params if each.name not in needed}
    context = command.context_class(command)
    context.params = others | needed | {"data_dir": tmp_path / "data"}

    with pytest.raises(SetupError) as refused:
        command.invoke(context)

    assert str(refused.value) == "GUIDANCE_SEALTO: unknown setting. Did you mean GUIDANCE_SEAL_TO?"
    assert not (tmp_path / "data").exists()


def test_a_folder_without_a_name_is_refused() -> None:
    result = CliRunner().invoke(app, ["verify", "--data-dir", ""])

    assert result.exit_code == 2
    assert "name a folder" in result.output


def test_the_refusal_is_all_that_an_operator_sees() -> None:
    finished = guidance("serve", SEALTO="age1invented", ALLOWED_ORIGINS="*")

    assert (finished.returncode, finished.stdout) == (1, "")
    assert sorted(finished.stderr.splitlines()) == [
        f"GUIDANCE_ALLOWED_ORIGINS: {NOT_AN_ORIGIN}",
        "GUIDANCE_SEALTO: unknown setting. Did you mean GUIDANCE_SEAL_TO?",
    ]


@pytest.mark.any_database
@for_each(
    ("name", "value"),
    [
        ("receipt_key_file", "no-such-file"),
        ("retired_receipt_keys", "no-such-file"),
        ("limits_secret_file", "no-such-file"),
        ("limits_store", "nowhere://"),
        ("seal_to", "age1invented"),
        ("seal_identity_file", "no-such-file"),
        ("database_url", "mysql://council.example"),
    ],
)
def test_a_setting_that_only_its_use_can_check_is_named_whole_too(tmp_path: Path, name: str, value: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s" * 32)
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    given = {"data_dir": tmp_path / "data", "limits_secret_file": secret, "seal_to": recipient, name: value}

    with pytest.raises(SetupError, match=f"^GUIDANCE_{name.upper()}\\b"):
        create_app(Settings.model_validate(given))
