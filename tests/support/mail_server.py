"""A mail server on this machine, which takes what a test lets it take; and a certificate for it."""

import asyncio
import datetime as dt
import ipaddress
import ssl
import threading
import warnings
from collections.abc import Callable
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ACCEPTED = "250 OK"


class MailServer:
    """Accepts what `answer` accepts: it returns the reply to each email by its number, from 1."""

    def __init__(
        self,
        answer: Callable[[int], str] = lambda _: ACCEPTED,
        *,
        certificate: Path | None = None,
        tls_at_once: bool = False,
        password: str | None = None,
        port: int = 0,
    ) -> None:
        self.port = port
        self.answer, self.tried, self.emails = answer, 0, list[EmailMessage]()
        self.hangs = False
        self.signed_in: list[bool] = []
        self.sign_ins = 0
        self._protocols: list[SMTP] = []
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._at_once, self._password = tls_at_once, password
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    async def handle_DATA(self, _server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802  # its name there
        """Take an email."""
        self.tried += 1
        if self.hangs:
            await asyncio.Event().wait()
        reply = self.answer(self.tried)
        if reply.startswith("250"):
            self.signed_in.append(bool(session.authenticated))
            parsed = BytesParser(policy=default).parsebytes(cast(bytes, envelope.content))
            self.emails.append(parsed)
        return reply

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: Any, login: Any) -> AuthResult:
        self.sign_ins += 1
        return AuthResult(success=login.password.decode() == self._password, handled=False)  # the library answers

    def _protocol(self) -> SMTP:
        starts_tls = self._tls is not None and not self._at_once
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it does not see that the connection has TLS from its first byte
            protocol = SMTP(
                self,
                loop=self._loop,
                tls_context=self._tls if starts_tls else None,
                require_starttls=starts_tls,
                authenticator=self._authenticate,
                auth_required=self._password is not None,
                auth_require_tls=not self._at_once,
            )
        self._protocols.append(protocol)
        return protocol

    def __enter__(self) -> "MailServer":
        """Start."""
        self._thread.start()
        at_once = self._tls if self._at_once else None
        serving = self._loop.create_server(self._protocol, "127.0.0.1", self.port, ssl=at_once)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(30)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, whatever is under way."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        for protocol in self._protocols:
            if protocol.transport is not None:
                protocol.transport.close()
        others = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def make_certificate(path: Path, *, days: int = 1, name: str = "localhost") -> Path:
    """Write a key and a certificate of this machine for so many days, which a client trusts that has the file."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    places = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName(name)]
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=3))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(places), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return path
