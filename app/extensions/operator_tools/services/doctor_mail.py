"""The email with which `guidance doctor` reports problems. The email names no person, client or concern."""

import datetime as dt
import re
import socket
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import urlsplit

from app.config import Settings
from app.errors import SetupError
from app.extensions.operator_tools.services.doctor import ALL_CHECKS, Finding
from app.services.events.email_sender import EmailSender
from app.services.operations.check_model import Condition

ADDRESS = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+")
PRIVATE = frozenset(each.name for each in ALL_CHECKS if each.may_name_someone)
LEFT_OUT = "run guidance doctor there: its words are not for an email"
NO_NAMES = "This email contains no names and no case details. Do not reply: replies are not read."
LENGTH_OF_LOG = ("lost-entries", Condition.FINE)
"""The finding that says how long the audit log is. Each email has it, and so remembers it outside the database."""
SECTIONS = {Condition.FAULT: "Errors", Condition.WARNING: "Warnings"}


def require_mail(settings: Settings, address: str) -> EmailSender:
    """Return a sender for the mail server in `settings`, if an email to `address` can be sent.

    Raise `SetupError` if `address` is not an email address, if the settings name no mail server, or if the file with
    the password of the mail server cannot be read.
    """
    if not ADDRESS.fullmatch(address):
        raise SetupError(f"{address!r} is not an email address")
    if settings.smtp_host is None:
        raise SetupError("GUIDANCE_SMTP_HOST is not set")
    return EmailSender(settings)


def build_report(findings: Sequence[Finding], settings: Settings, address: str, *, at: dt.datetime) -> EmailMessage:
    """Return the email to `address` with every fault and every warning in `findings`, and the action for each.

    `at` is the time of the email. If a finding may name a person, a client or a concern, the email gives only the name
    of its check.
    """
    message = EmailMessage()
    errors = sum(each.condition is Condition.FAULT for each in findings)
    message["From"], message["To"] = settings.smtp_from, address
    message["Subject"] = f"{errors} error{'s' * (errors != 1)} found by guidance doctor ({settings.council_name})"
    message["Date"], message["Message-ID"] = (
        format_datetime(at),
        make_msgid(domain=urlsplit(settings.public_url).hostname),
    )
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(_lines(findings, settings)) + "\n")
    return message


def _lines(findings: Sequence[Finding], settings: Settings) -> Iterator[str]:
    yield f"On {socket.gethostname()}, which serves {settings.public_url}:"
    for condition, heading in SECTIONS.items():
        found = [each for each in findings if each.condition is condition]
        if found:
            yield from ("", heading, *(f"- {_sentence(each)}" for each in found))
    length = [f"For your records: {each.found}." for each in findings if (each.check, each.condition) == LENGTH_OF_LOG]
    yield from ("", *length, NO_NAMES)


def _sentence(finding: Finding) -> str:
    if finding.check in PRIVATE:
        return f"{finding.check}: {LEFT_OUT} (read {finding.read})"
    action = f"{finding.action[:1].upper()}{finding.action[1:]}"
    return f"{finding.check}: {finding.found}. {action} (read {finding.read})"
