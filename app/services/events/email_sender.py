"""Sending an email by SMTP, in bounded time."""

import smtplib
import socket
import ssl
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from threading import Timer

from app.config import Settings
from app.errors import SetupError
from app.logs import Log

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
        server = self._make_client()
        deadline = Timer(self._seconds, _break_off, (server,))
        deadline.daemon = True
        deadline.start()
        try:
            self._send(server, message)
        except (smtplib.SMTPException, OSError, ValueError) as failure:
            return type(failure).__name__
        finally:
            deadline.cancel()
            server.close()
        return None

    def _make_client(self) -> smtplib.SMTP:
        if self._settings.smtp_security == "tls":
            return smtplib.SMTP_SSL(timeout=self._seconds, context=ssl.create_default_context())
        return smtplib.SMTP(timeout=self._seconds)

    def _send(self, server: smtplib.SMTP, message: EmailMessage) -> None:
        host = self._settings.smtp_host or ""
        vars(server)["_host"] = host  # the name that TLS verifies, which only a client that connects at once sets
        server.connect(host, self._settings.smtp_port)
        if self._settings.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        password = self._read_password()
        if self._settings.smtp_username is not None and password is not None:
            server.login(self._settings.smtp_username, password)
        refused = server.send_message(message)
        if refused:  # the others have it: another attempt would send it to them twice
            log.warning("email_recipients_refused", count=len(refused))
        with suppress(smtplib.SMTPException, OSError):  # the email is accepted, whatever comes now
            server.quit()

    def _read_password(self) -> str | None:
        path = self._settings.smtp_password_file
        return None if path is None else _read_secret(path)


def _break_off(server: smtplib.SMTP) -> None:
    """End a conversation that has lasted too long. What waits for the server then fails at once."""
    connection = server.sock
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SetupError(f"GUIDANCE_SMTP_PASSWORD_FILE: {path} cannot be read") from None
