"""`guidance setup`: from an empty folder to an invented concern that both keys have opened, by options or questions."""

import datetime as dt
import stat
from pathlib import Path

import pytest
from pyrage import x25519

from app.config import SEED_DIR, parse_settings
from app.errors import SetupError
from app.extensions.operator_tools.services.own_seed import FIRST_GUIDE, OWN_FOLDER, Numbers, write_own_seed
from app.extensions.operator_tools.services.settings_file import write_settings
from app.models.guides.edition_files import read_edition_file
from app.services.clock.teams import out_of_hours
from app.services.guides.reference_data import read_reference_data
from tests.support.command import Finished, Terminal, guidance, guidance_on_a_terminal
from tests.support.databases import raw_connection
from tests.support.publishing import SLUG, an_edition

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

ADDRESS = "http://localhost:9"  # nothing serves there, whatever a developer tries on this computer
COUNCIL = {
    "COUNCIL_NAME": "Example Council",
    "ACCESSIBILITY_CONTACT": "mailto:access@council.example",
    "PRIVACY_CONTACT": "mailto:data@council.example",
    "DATA_COMPLAINTS_CONTACT": "mailto:complaints@council.example",
    "ADULTS_CONTACT": "tel:01632960002",
    "COMPLAINTS_CONTACT": "mailto:complaints@council.example",
    "SECURITY_CONTACT": "mailto:security@council.example",
    "PUBLIC_URL": ADDRESS,
}
NUMBERS = ("--duty", "01632 960001", "--night", "01632 960003", "--officer", "01632 960004", "--numbers-checked")
KEYS = ("--keys", "keys")
LEAD = ("--lead", "Robin Example")


def words(values: dict[str, str]) -> list[str]:
    return [f"GUIDANCE_{name}={value}" for name, value in values.items()]


def left_by(ended: Finished) -> set[str]:
    return {line.split()[1] for line in ended.stdout.splitlines() if line.startswith("left ")}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of settings, in the empty folder in which the commands run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "guidance.env"


def test_setup_ends_with_a_concern_that_both_keys_opened(file: Path) -> None:
    backups = {"BACKUP_FOLDER": str(file.parent / "backups")}

    ended = guidance("setup", *words(COUNCIL | backups), *NUMBERS, *KEYS, "--law-compared", *LEAD)

    assert left_by(ended) == {"lead", "concern", "service"}, ended.stdout + ended.stderr
    assert ended.returncode == 1
    settings = parse_settings({}, file=file)
    secrets = [path.read_text().split("\n")[2] for path in sorted((file.parent / "keys").iterdir())]
    assert {str(x25519.Identity.from_str(each).to_public()) for each in secrets} == set(settings.seal_to)
    assert [ended.stdout.count(f"opened with {path}") for path in ("keys/everyday", "keys/reserve")] == [1, 1]
    link = (file.parent / "invitation-link.txt").read_text().strip()
    assert link.startswith(f"{ADDRESS}/desk/invitation#")
    assert not any(each in ended.stdout + ended.stderr for each in [*secrets, link.partition("#")[2]])
    private = [file, *(file.parent / "keys").iterdir(), file.parent / "invitation-link.txt"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_a_further_run_goes_on_and_does_nothing_twice(file: Path) -> None:
    first = guidance("setup", *words(COUNCIL), "--duty", "01632 960001", *KEYS, *LEAD)
    untouched = not (file.parent / "data").exists()
    second = guidance("setup", *NUMBERS, *LEAD)
    made = {path: path.read_bytes() for path in (file, *file.parent.glob("*.txt"), *file.parent.glob("keys/*"))}
    third = guidance("setup", *LEAD)

    assert left_by(first) == {"numbers", "lead", "concern", "backup", "service"}
    assert untouched, "a start would have published the numbers of another council"
    assert left_by(second) == left_by(third) == {"lead", "concern", "backup", "service"}
    assert {path: path.read_bytes() for path in made} == made
    with raw_connection(file.parent / "data") as database:
        acts = dict(database.execute("SELECT act, count(*) FROM audit_entries GROUP BY act").fetchall())
    assert (acts["received"], acts["opened"], acts["invited"]) == (1, 2, 1)


ANSWERS = [
    "Example Council",
    "access@council.example",
    "data@council.example",
    "complaints@council.example",
    "01632 960002",
    "complaints@council.example",
    "security@council.example",
    "in the mornings \\ evenings",  # refused, and asked again
    "01632 960001",  # no hours, and asked again
    "Monday to Friday 9am to 5pm",
    "nobody",  # no number, and asked again
    "01632 960003",
    "60",
    "",
    "nobody",  # no number, and asked again
    "01632 960001",
    "",
    "y",
    "y",
    "stick",
    "https://guidance.council.example",
    "127.0.0.1",
    "y",
    "127.0.0.1",
    "1",
    "none",
    "desk@council.example",
    "duty@council.example",
    "",
    "y",
    "https://login.council.example",
    "api://one-minute-guide",
    "guidance-desk",
    "groups",
    "Duty Team",
    "Leads",
    "an invented secret",
    "backups",
]


def test_setup_asks_for_what_is_missing_and_writes_the_answers(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("\n".join(ANSWERS) + "\n"))
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: input())

    ended = guidance_on_a_terminal("setup")

    assert (ended.returncode, ended.stderr) == (1, "")
    settings = parse_settings({}, file=file)
    assert settings.security_expires is not None
    assert settings.backup_folder == file.parent / "backups"
    assert "\x1b[32mdone" in ended.stdout
    assert len(settings.seal_to) == len(list((file.parent / "stick").iterdir())) == 2
    assert (settings.adults_contact, settings.acknowledge_danger_minutes) == (("tel:01632-960002",), 60)
    assert dict(settings.openid_scopes or {})["Leads"] == ("concerns:read", "concerns:write", "audit:read")
    assert "an invented secret" not in ended.stdout
    assert ended.stdout.count("not opening hours, such as") == 1
    (hours,) = (
        read_edition_file(settings.seed_dir / "guides" / FIRST_GUIDE / "1.yaml").content.contacts[0].opening_hours
    )
    assert (hours.days[-1], hours.opens, hours.closes) == ("friday", "09:00", "17:00")
    assert (settings.duty_hours, settings.out_of_hours_phone) == ("Monday to Friday 9am to 5pm", "01632 960003")
    known = read_reference_data(settings.seed_dir, settings.council, settings.out_of_hours_phone)
    night = [(each.phones[0].display, each.verified_on is None) for each in out_of_hours(known.all_signposts)]
    assert night == [("01632 960003", False)]


def test_an_optional_step_that_was_begun_can_be_left(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = ["y", "mail.council.example", "", "leave", "y", "leave"]
    monkeypatch.setattr("sys.stdin", Terminal("\n".join(["n", *begun, ""]) + "\n"))
    known = COUNCIL | {"DUTY_HOURS": "24/7", "OUT_OF_HOURS_PHONE": "01632 960003"}
    known |= {"ACKNOWLEDGE_DANGER_MINUTES": "60", "ACKNOWLEDGE_NOT_SURE_MINUTES": "60"}

    ended = guidance_on_a_terminal("setup", *words(known), "--duty", "01632 960001", *KEYS)

    assert ended.stdout.count("To leave this step, answer `leave`.") == 2, ended.stdout + ended.stderr
    assert ended.stdout.count("Left: nothing of this step is written.") == 2
    settings = parse_settings({}, file=file)
    assert (settings.smtp_host, settings.openid_issuer) == (None, None)


def test_keys_are_made_elsewhere_unless_a_folder_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [str(x25519.Identity.generate().to_public()) for _ in range(2)]
    left = guidance("setup", *words(COUNCIL), *NUMBERS)
    answers = ["n", f"{made[0]},age1nonsense", ",".join(made), "n", "n", ""]
    monkeypatch.setattr("sys.stdin", Terminal("\n".join(answers) + "\n"))
    known = {"DUTY_HOURS": "24/7", "ACKNOWLEDGE_DANGER_MINUTES": "60", "ACKNOWLEDGE_NOT_SURE_MINUTES": "60"}
    asked = guidance_on_a_terminal("setup", *words(known), "--night", "01632 960003")

    assert "keys" in left_by(left)
    assert "The lead makes two keys on a computer of the team" in left.stdout
    assert asked.stdout.count("not the public keys of age") == 1, asked.stdout + asked.stderr
    assert set(parse_settings({}, file=file).seal_to) == set(made)
    assert [*file.parent.glob("**/*identity*.txt")] == []


def test_another_council_gets_a_folder_with_only_its_own_numbers(file: Path) -> None:
    guidance("setup", *words(COUNCIL), *NUMBERS)

    known = read_reference_data(file.parent / OWN_FOLDER)
    local = {each.id: each.phones[0].number for each in known.all_signposts if each.scope == "local"}
    assert local == {"out-of-hours-team": "+441632960003", "designated-officer": "+441632960004"}
    assert (file.parent / OWN_FOLDER / "words.yaml").read_bytes() == (SEED_DIR / "words.yaml").read_bytes()
    assert list(known.words.ask("i want to die").leads)[:1] == ["signposts/samaritans"]
    assert known.neighbours == ()
    assert [path.parent.name for path in (file.parent / OWN_FOLDER).glob("guides/*/*.yaml")] == [FIRST_GUIDE]


def test_whoever_has_the_number_of_the_duty_team_follows_the_guide(tmp_path: Path) -> None:
    same, contacts = "01632 960001", an_edition().contacts
    numbers = Numbers(same, night=same, officer=same)
    write_own_seed(tmp_path / "own", SEED_DIR, "Example Council", numbers, today=dt.date(2026, 12, 1))

    known = read_reference_data(tmp_path / "own", "Example Council")

    local = {each.id: each.phones for each in known.signposts_of(None, contacts) if each.scope == "local"}
    assert local == dict.fromkeys(("out-of-hours-team", "designated-officer"), contacts[0].phones[:1])
    assert "960001" not in (tmp_path / "own" / "signposts.yaml").read_text(encoding="utf-8")


def test_the_council_of_the_seed_keeps_its_guide_and_checks_its_numbers(file: Path) -> None:
    council = COUNCIL | {"COUNCIL_NAME": "Bath & North East Somerset Council"}

    guidance("setup", *words(council), "--numbers-checked")

    folder = file.parent / OWN_FOLDER
    assert [each.id for each in read_reference_data(folder).all_signposts if each.verified_on is None] == []
    guide = f"guides/{SLUG}/1.yaml"
    assert "verified_on: null" not in (folder / guide).read_text()
    assert len((folder / guide).read_text().splitlines()) == len((SEED_DIR / guide).read_text().splitlines())


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("GUIDANCE_OPENID_CLIENT_SECRET=invented", "is a secret, and others can see command lines"),
        ("COUNCIL_NAME=Example", "COUNCIL_NAME is not SETTING=VALUE"),
        ("GUIDANCE_COUNCIL_NAM=Example", "Did you mean GUIDANCE_COUNCIL_NAME?"),
        ("GUIDANCE_DUTY_HOURS=9 #1", "must be plain text on one line"),
        ("GUIDANCE_DUTY_HOURS=01632 960001", "not opening hours, such as Monday"),
        ("GUIDANCE_SMTP_HOST=mail.council.example", "GUIDANCE_SMTP_HOST needs GUIDANCE_SMTP_FROM too"),
    ],
)
def test_a_refused_value_is_named_and_the_file_stays(file: Path, word: str, told: str) -> None:
    write_settings(file, {"council_name": "Example Council"})
    before = file.read_bytes()

    refused = guidance("setup", word)

    assert refused.returncode != 0
    assert told in refused.stderr
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert file.read_bytes() == before


def test_a_trial_is_never_made_into_a_service(file: Path) -> None:
    (file.parent / "data").mkdir()
    (file.parent / "data" / "development-identity.txt").touch()

    refused = guidance("setup", *words(COUNCIL), *NUMBERS)

    assert (refused.returncode, "is the data of a trial" in refused.stderr) == (1, True)


def test_a_setting_is_replaced_in_its_file_and_other_lines_stay(tmp_path: Path) -> None:
    file = tmp_path / "guidance.env"
    file.write_text("# ours\nLISTEN_ON=10.0.0.11\nexport GUIDANCE_COUNCIL_NAME=Old\nGUIDANCE_LOG_LEVEL=info\n")

    write_settings(file, {"council_name": "Example & Sons: 'Council'"})

    assert file.read_text() == (
        "# ours\nLISTEN_ON=10.0.0.11\nGUIDANCE_LOG_LEVEL=info\nGUIDANCE_COUNCIL_NAME=Example & Sons: 'Council'\n"
    )
    assert parse_settings({}, file=file).council == "Example & Sons: 'Council'"
    with pytest.raises(SetupError, match="GUIDANCE_LOG_LEVEL"):
        write_settings(file, {"log_level": "shouting"})
