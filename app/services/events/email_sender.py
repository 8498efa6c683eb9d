"""Sends emails through the mail server of the council."""

import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from threading import Event

from app.config import Settings
from app.errors import SetupError
from app.logs import Log
from app.services.workers import call_in_time

SECONDS_TO_SEND = 30.0
log = Log(__name__)


class EmailSender:
    """Sends by the mail server of the settings. Whatever the server does, `send` returns in time."""

    def __init__(self, settings: Settings, *, seconds: float = SECONDS_TO_SEND) -> None:
        self._settings = settings
        self._seconds = seconds
        self._read_password()  # a file that is missing stops the start

    def send(self, message: EmailMessage) -> str | None:
        """Send once. Return None, or the kind of the failure, and never a word of the server's answer."""
        return self._converse(lambda server: self._hand_over(server, message))

    def knock(self) -> str | None:
        """Do all that comes before an email, with the sign-in, and send nothing. Return as `send` does."""
        return self._converse(lambda _: None)

    def _converse(self, say: Callable[[smtplib.SMTP], None]) -> str | None:
        server, is_over = self._make_client(), Event()

        def converse() -> None:
            try:
                self._greet(server)
                if is_over.is_set():  # a lookup took so long: the email is tried again by another conversation
                    return
                say(server)
                with suppress(smtplib.SMTPException, OSError):  # the email is accepted, whatever comes now
                    server.quit()
            finally:
                server.close()

        try:
            call_in_time(converse, self._seconds)
        except TimeoutError as failure:  # a lookup of the name, or a server that says a letter now and then
            is_over.set()
            _break_off(server)
            return type(failure).__name__
        except (smtplib.SMTPException, OSError, ValueError, SetupError) as failure:
            return type(failure).__name__
        return None

    def _make_client(self) -> smtplib.SMTP:
        if self._settings.smtp_security == "tls":
            return smtplib.SMTP_SSL(timeout=self._seconds, context=ssl.create_default_context())
        return smtplib.SMTP(timeout=self._seconds)

    def _greet(self, server: smtplib.SMTP) -> None:
        host = self._settings.smtp_host or ""
        vars(server)["_host"] = host  # the name that TLS verifies, which only a client that connects at once sets
        server.connect(host, self._settings.smtp_port)
        server.ehlo_or_helo_if_needed()
        if self._settings.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        password = self._read_password()
        if self._settings.smtp_username is not None and password is not None:
            server.login(self._settings.smtp_username, password)

    def _hand_over(self, server: smtplib.SMTP, message: EmailMessage) -> None:
        refused = server.send_message(message)
        if refused:  # the others have it: another attempt would send it to them twice
            log.warning("email_recipients_refused", count=len(refused))

    def _read_password(self) -> str | None:
        path = self._settings.smtp_password_file
        try:
            return None if path is None else path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SetupError(f"GUIDANCE_SMTP_PASSWORD_FILE: {path} cannot be read") from None


def _break_off(server: smtplib.SMTP) -> None:
    """End a conversation that has lasted too long. What waits for the server then fails at once."""
    connection = server.sock
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
