"""The questions and actions of `guidance setup` for each step of the first day."""

import asyncio
import datetime as dt
import json
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from app.cli.access.people import invitation_link
from app.cli.open_database import open_writer
from app.cli.options import format_moment, read_settings
from app.clock import utc_now
from app.config import PREFIX, SEED_DIR, Settings
from app.extensions.operator_tools.commands.rehearsal import rehearse
from app.extensions.operator_tools.services.first_day import find_invited_leads
from app.extensions.operator_tools.services.own_seed import (
    LAW_FILE,
    OWN_FOLDER,
    Numbers,
    has_own_numbers,
    mark_law_as_compared,
    numbers_to_check,
    write_own_seed,
)
from app.extensions.operator_tools.services.settings_file import refusal_of, write_settings
from app.logs import set_up_logs
from app.models.access.roles import Role
from app.services.access.people import invite
from app.services.concerns.keys import create_identity
from app.services.concerns.sealing import read_identities
from app.services.guides.written_phones import phones_in
from app.services.key_files import write_key_file
from app.services.operations.backup import back_up, backup_path, drill_restore
from app.services.operations.check_model import CheckContext, open_check_context

INDENT = " " * 9
EVERYDAY, RESERVE = "everyday-identity.txt", "reserve-identity.txt"
LINK_FILE, PASSWORD_FILE = "invitation-link.txt", "smtp-password.txt"  # nosec B105  # the name of a file
LINK_LIFE = dt.timedelta(days=2)
LEAVE = "leave"
"""The answer that ends a step without writing anything."""
TO_LEAVE = f"To leave this step, answer `{LEAVE}`."
RECIPIENT = "age1"
KEYS_QUESTION = "The two public keys, with a comma between them (or a folder, to make the keys here)"
HOW_TO_MAKE_KEYS = """The lead makes two keys on a computer of the team, so that no key is ever on this one: in
unseal.html under 'Make a key', or with `guidance keys new everyday-identity.txt` and
`guidance keys new reserve-identity.txt`. Each gives a public key, age1..., which is no secret."""
SECURITY_CHECKED_AGAIN = dt.timedelta(days=365)
PATH_SETTINGS = ("data_dir", "backup_folder", "seed_dir")
SECRET_SETTINGS = ("openid_client_secret", "database_url")
CONTACTS = re.compile(r"(?P<mail>[^\s@:]+@[^\s@]+)|(?P<phone>\+?[0-9][0-9 ]{4,18})")
COUNCIL_QUESTIONS = {
    "council_name": "Name of the council",
    "accessibility_contact": "Who helps if somebody cannot use a page? Email address, phone number or web address",
    "privacy_contact": "Who answers questions about personal data?",
    "data_complaints_contact": "Who takes complaints about the use of personal data?",
    "adults_contact": "Whom should people contact about an adult at risk?",
    "complaints_contact": "Who takes complaints about the council?",
    "security_contact": "Who should hear of a weakness in this service?",
    "duty_hours": "When is the duty team open? Such as Monday to Friday 9am to 5pm (or press Enter)",
    "out_of_hours_phone": "Whom to call at night, at weekends and on bank holidays: phone number (or press Enter)",
    "acknowledge_danger_minutes": "In how many minutes, day and night, will the team read a report of immediate "
    "danger? (or press Enter: no time is promised)",
    "acknowledge_not_sure_minutes": "And if the reporter is not sure? (or press Enter)",
}
ADDRESS_QUESTIONS = {
    "public_url": "Public address, such as https://guidance.council.example (to try it here: http://localhost:8000)",
    "trusted_proxies": "IP address from which the reverse proxy calls the service (127.0.0.1 if it runs here)",
}
MAIL_QUESTIONS = {
    "smtp_host": "Mail server",
    "smtp_port": "Its port (or press Enter: 587)",
    "smtp_security": "Its encryption: starttls, tls or none (or press Enter: starttls)",
    "smtp_from": "Sender address",
    "smtp_to": "Addresses of the duty team",
    "smtp_username": "User name at the mail server (or press Enter: none)",
}
OPENID_QUESTIONS = {
    "openid_issuer": "Address of the provider (issuer)",
    "openid_audience": "Audience of its access tokens, such as api://one-minute-guide",
    "openid_client_id": "Client id of this service at the provider",
    "openid_claims": "Claim with groups or roles (or press Enter: roles)",
}


@dataclass(frozen=True)
class SetupOptions:
    """Answers that need not be asked for."""

    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SETTING=VALUE]...", help="Settings to write into the file, such as GUIDANCE_..."),
    ] = None
    duty: Annotated[str | None, typer.Option(help="Phone number of the duty team.")] = None
    night: Annotated[str | None, typer.Option(help="Phone number at night, at weekends and on bank holidays.")] = None
    officer: Annotated[str | None, typer.Option(help="Phone number of the designated officer (LADO).")] = None
    numbers_checked: Annotated[
        bool, typer.Option("--numbers-checked", help="A person has called every number and read every address.")
    ] = False
    law_compared: Annotated[
        bool, typer.Option("--law-compared", help="A person has compared the sentences about the law with the law.")
    ] = False
    keys: Annotated[
        Path | None,
        typer.Option(help="Folder in which to make two key files here, best on a stick. Better: GUIDANCE_SEAL_TO."),
    ] = None
    lead: Annotated[str | None, typer.Option(help="Name of the first lead, who is invited.")] = None


@dataclass
class FirstDay:
    """The state of `guidance setup`.

    `file` has the settings; `data_dir` is what an option names; `asks` allows questions.
    """

    file: Path
    data_dir: Path | None
    given: SetupOptions
    asks: bool
    keys: Path
    """The folder of the key files, which an answer may change."""

    @property
    def settings(self) -> Settings:
        """Return the settings. Raise `SetupError` if one is not valid."""
        return read_settings(self.data_dir, self.file if self.file.exists() else None)

    @property
    def identities(self) -> list[Path]:
        """The key files in the folder `keys`: two, one or none."""
        return [path for path in (self.keys / EVERYDAY, self.keys / RESERVE) if path.is_file()]

    def ask_for_keys(self, question: str) -> None:
        """Ask for the folder of the keys, unless an option names it. Enter keeps the folder."""
        if self.asks and self.given.keys is None:
            self.keys = Path(typer.prompt(question, default=str(self.keys)))

    @property
    def link_file(self) -> Path:
        """Return the file for the lead's invitation if standard output is not a terminal."""
        return self.file.absolute().parent / LINK_FILE

    def examined(self) -> AbstractContextManager[CheckContext]:
        return open_check_context(self.settings, at=utc_now())

    def write(self, values: Mapping[str, str]) -> None:
        """Write `values`, with absolute paths because the service may run elsewhere.

        With a security contact, add its expiry. Raise `SetupError` if a value is refused.
        """
        expires = f"{(utc_now() + SECURITY_CHECKED_AGAIN).date()}T00:00:00Z"
        also = {"security_expires": expires} if "security_contact" in values else {}
        whole = {name: str(Path(values[name]).absolute()) for name in PATH_SETTINGS if values.get(name, "").strip()}
        if values:
            write_settings(self.file, also | dict(values) | whole)

    def ask_settings(self, questions: Mapping[str, str]) -> dict[str, str]:
        """Ask for settings that have no value yet. Return the answers, without empty ones."""
        known = self.settings.model_fields_set
        answers = {name: _ask(name, text) for name, text in questions.items() if self.asks and name not in known}
        return {name: answer for name, answer in answers.items() if answer}

    def agrees(self, question: str) -> bool:
        """Ask a question that Enter answers with no, as does not being allowed to ask."""
        return self.asks and typer.confirm(question, default=False)


def tell(text: str) -> None:
    """Print a line, indented below the title of the step."""
    typer.echo(f"{INDENT}{text}")


class StepLeft(Exception):
    """The administrator answered `LEAVE`."""


def _prompt(text: str, *, is_hidden: bool = False) -> str:
    answer = str(typer.prompt(text, default="", show_default=False, hide_input=is_hidden)).strip()
    if answer == LEAVE and not is_hidden:
        raise StepLeft
    return answer


def _ask(name: str, text: str) -> str:
    while True:
        answer = _prompt(text)
        if name.endswith("_contact"):
            answer = as_contact(answer)
        is_folder = name == "seal_to" and not answer.startswith(RECIPIENT)
        if not answer or is_folder or (refusal := refusal_of({name: answer})) is None:
            return answer
        tell(refusal)


def as_contact(text: str) -> str:
    """Return `mailto:` for an email address, `tel:` for a phone number, and other text unchanged."""
    found = CONTACTS.fullmatch(text)
    if found is None:
        return text
    return f"mailto:{text}" if found["mail"] else f"tel:{'-'.join(text.split())}"


def parse_values(words: list[str]) -> dict[str, str]:
    """Parse words of the form `GUIDANCE_NAME=VALUE`, whose names lose prefix and capitals.

    Raise `typer.BadParameter` for any other, and for a secret: other users can see command lines.
    """
    values = {}
    for word in words:
        variable, is_set, value = word.partition("=")
        name = variable.removeprefix(PREFIX).lower()
        if not is_set or not variable.startswith(PREFIX):
            raise typer.BadParameter(f"{variable} is not SETTING=VALUE, such as GUIDANCE_COUNCIL_NAME=...")
        if name in SECRET_SETTINGS:
            raise typer.BadParameter(
                f"{variable} is a secret, and others can see command lines: write it into the file"
            )
        values[name] = value
    return values


def set_up_council(day: FirstDay) -> None:
    """Ask for name, contacts, hours, the number outside them, and promised times."""
    known = ("out_of_hours_phone",) if day.given.night else ()
    day.write(day.ask_settings({name: text for name, text in COUNCIL_QUESTIONS.items() if name not in known}))


def set_up_numbers(day: FirstDay) -> None:
    """Ask for the council's numbers, and write its own seed folder once a person confirms that each was checked.

    Do nothing if the settings name a seed folder, or if the council's name or the duty team's number is missing. Ask
    for no numbers if the shipped seed has them.
    """
    settings, today = day.settings, utc_now().date()
    council = settings.council
    if council is None or settings.seed_dir != SEED_DIR:
        return
    numbers = None if has_own_numbers(SEED_DIR, council) else _ask_numbers(day)
    if numbers is not None and not numbers.duty:
        return
    for line in numbers_to_check(SEED_DIR, numbers):
        tell(line)
    question = "Has a person called each of these, and your own numbers, today?"
    if not day.given.numbers_checked and not day.agrees(question):
        return
    folder = day.file.absolute().parent / OWN_FOLDER
    if not folder.exists():  # it exists if an earlier run was stopped here
        write_own_seed(folder, SEED_DIR, council, numbers, today=today)
    day.write({"seed_dir": str(folder)})


def set_up_law(day: FirstDay) -> None:
    """Ask if a person has compared the legal statements with the law; record a yes in the council's own seed folder."""
    folder = day.settings.seed_dir
    question = f"Has a person compared each sentence in {folder / LAW_FILE} with the law?"
    if folder != SEED_DIR and (day.given.law_compared or day.agrees(question)):
        mark_law_as_compared(folder, today=utc_now().date())


def _ask_numbers(day: FirstDay) -> Numbers:
    questions = {"duty": "Phone number of the duty team", "officer": "Designated officer, LADO (or press Enter)"}
    given = {name: getattr(day.given, name) or "" for name in questions}
    if day.asks and not given["duty"]:
        given = {name: given[name] or _ask_number(text) for name, text in questions.items()}
    settings = day.settings
    return Numbers(**given, night=day.given.night or settings.out_of_hours_phone or "", hours=settings.duty_hours or "")


def _ask_number(text: str) -> str:
    while (answer := _prompt(text)) and not phones_in(answer):
        tell("not a phone number, such as 01632 960001")
    return answer


def set_up_keys(day: FirstDay) -> None:
    """Unless set, ask for two public keys, or for a folder, in which key files are read or made."""
    if day.settings.seal_to:
        return
    if day.given.keys is None and not day.identities:
        tell(HOW_TO_MAKE_KEYS.replace("\n", f"\n{INDENT}"))
        answer = _ask("seal_to", KEYS_QUESTION) if day.asks else ""
        if not answer or answer.startswith(RECIPIENT):
            day.write({"seal_to": answer} if answer else {})
            return
        day.keys = Path(answer)
    recipients = []
    for path in (day.keys / EVERYDAY, day.keys / RESERVE):
        if path.exists():
            recipients += [str(each.to_public()) for each in read_identities(path).identities]
        else:
            recipients.append(create_identity(path, at=utc_now()))
        tell(str(path))
    day.write({"seal_to": ",".join(recipients)})


def set_up_address(day: FirstDay) -> None:
    """Ask for the public address and, with https, for the reverse proxy."""
    day.write(day.ask_settings({"public_url": ADDRESS_QUESTIONS["public_url"]}))
    if day.settings.is_https:
        day.write(day.ask_settings({"trusted_proxies": ADDRESS_QUESTIONS["trusted_proxies"]}))


def set_up_mail(day: FirstDay) -> None:
    """Ask for the mail server. A password goes to a separate private file."""
    if day.settings.smtp_host is not None or not day.agrees("Set up email to the team?"):
        return
    tell(TO_LEAVE)
    values = day.ask_settings(MAIL_QUESTIONS)
    if "smtp_username" in values:
        path = day.file.absolute().parent / PASSWORD_FILE
        password = _prompt("Password at the mail server", is_hidden=True)
        write_key_file(path, f"{password}\n".encode(), replace=True)
        values["smtp_password_file"] = str(path)
    day.write(values)


def set_up_openid(day: FirstDay) -> None:
    """Ask for the provider, and for the groups of workers and leads."""
    if day.settings.openid_issuer is not None or not day.agrees("Let people sign in through the council's directory?"):
        return
    tell(TO_LEAVE)
    values = day.ask_settings(OPENID_QUESTIONS)
    workers = _prompt("Group or role of the duty team there")
    leads = _prompt("Group or role of the leads there")
    work = ["concerns:read", "concerns:write"]
    mapping = {name: scopes for name, scopes in ((workers, work), (leads, [*work, "audit:read"])) if name}
    secret = _prompt("Client secret (or press Enter)", is_hidden=True)
    extra = {"openid_scopes": json.dumps(mapping) if mapping else "", "openid_client_secret": secret}
    day.write(values | {name: value for name, value in extra.items() if value})


def set_up_lead(day: FirstDay) -> None:
    """Create the database and invite the first lead; without a terminal the link goes to a private file.

    Nobody is invited with an OpenID provider or without a name, and an invited lead again only if the administrator
    agrees.
    """
    settings, name = day.settings, day.given.lead
    _create_database(settings)
    if settings.openid_client_id is not None or (_is_invited(day) and not day.agrees("Make a new link?")):
        return
    if name is None and day.asks:
        name = _prompt("Name of the first lead, as the audit log will show it")
    if not name:
        return
    now = utc_now()
    with open_writer(settings, creates=True) as (_, writer):
        token = invite(writer, name, role=Role.LEAD, expires_at=now + LINK_LIFE, at=now)
    link = invitation_link(settings, token)
    if sys.stdout.isatty():
        tell(f"Link for {name}, which works once, until {format_moment(now + LINK_LIFE)}:\n{link}")
    else:
        write_key_file(day.link_file, f"{link}\n".encode(), replace=True)
        tell(f"{day.link_file} has the link for {name}, which works once")


def _create_database(settings: Settings) -> None:
    """Raise `SchemaBehind` if it is there and older."""
    with open_writer(settings, creates=True):
        pass


def _is_invited(day: FirstDay) -> bool:
    with day.examined() as context, Session(context.engine) as session:
        return bool(find_invited_leads(session, at=context.at))


def set_up_concern(day: FirstDay) -> None:
    """Raise an invented concern, and open it with each key file, if there are any."""
    _create_database(day.settings)  # refuses an older schema, which a start would migrate
    if not day.identities:
        day.ask_for_keys("Folder with the two key files (Enter if the team has them: it opens the concern itself)")
    set_up_logs("error")
    asyncio.run(rehearse(day.settings, day.identities, at=utc_now(), tell=tell))


def set_up_backup(day: FirstDay) -> None:
    """Ask for the folder, make a backup there (not on PostgreSQL), and test it by restoring it elsewhere."""
    day.write(day.ask_settings({"backup_folder": "Folder for backups, best on another disk"}))
    settings = day.settings
    if settings.backup_folder is None or settings.database_url is not None:
        return
    settings.backup_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = backup_path(settings.backup_folder, at=utc_now())
    back_up(settings.data_dir, target, replace=False)
    drilled = drill_restore(target, at=utc_now())
    tell(f"{target}: restored in {drilled.seconds:.1f} s into a temporary folder")


ACTIONS: Mapping[str, Callable[[FirstDay], None]] = {
    "council": set_up_council,
    "numbers": set_up_numbers,
    "law": set_up_law,
    "keys": set_up_keys,
    "address": set_up_address,
    "mail": set_up_mail,
    "openid": set_up_openid,
    "lead": set_up_lead,
    "concern": set_up_concern,
    "backup": set_up_backup,
}
"""What does each step, by its name. The administrator starts the service elsewhere."""
