"""The sender of emails through the council's mail server."""

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
    """Sends emails. A call returns within about `seconds`. Raise `SetupError` if the password's file cannot be read."""

    def __init__(self, settings: Settings, *, seconds: float = SECONDS_TO_SEND) -> None:
        self._settings = settings
        self._seconds = seconds
        self._read_password()  # raises an error if the file is missing, so that the service does not start

    def send(self, message: EmailMessage) -> str | None:
        """Send an email. Return None, or the name of the error's class, which has no text from the server.

        If only some recipients are refused, log it and return None.
        """
        return self._converse(lambda server: self._hand_over(server, message))

    def knock(self) -> str | None:
        """Connect and sign in, and send nothing. The result is as of `send`."""
        return self._converse(lambda _: None)

    def _converse(self, say: Callable[[smtplib.SMTP], None]) -> str | None:
        server, is_over = self._make_client(), Event()

        def converse() -> None:
            try:
                self._greet(server)
                if is_over.is_set():  # the deadline passed during the name lookup: a later attempt sends the email
                    return
                say(server)
                with suppress(smtplib.SMTPException, OSError):  # the email is accepted, whatever happens now
                    server.quit()
            finally:
                server.close()

        try:
            call_in_time(converse, self._seconds)
        except TimeoutError as failure:  # a slow name lookup, or a server that sends its response byte by byte
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
        vars(server)["_host"] = host  # the host name that TLS verifies, which `connect` does not set
        server.connect(host, self._settings.smtp_port)
        server.ehlo_or_helo_if_needed()
        if self._settings.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        password = self._read_password()
        if self._settings.smtp_username is not None and password is not None:
            server.login(self._settings.smtp_username, password)

    def _hand_over(self, server: smtplib.SMTP, message: EmailMessage) -> None:
        refused = server.send_message(message)
        if refused:  # the other recipients have the email: a retry would send it to them twice
            log.warning("email_recipients_refused", count=len(refused))

    def _read_password(self) -> str | None:
        path = self._settings.smtp_password_file
        try:
            return None if path is None else path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SetupError(f"GUIDANCE_SMTP_PASSWORD_FILE: {path} cannot be read") from None


def _break_off(server: smtplib.SMTP) -> None:
    """A thread that waits for the server then fails immediately."""
    connection = server.sock
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
