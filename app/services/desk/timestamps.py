"""Time stamps (RFC 3161): an authority signs that a checkpoint existed at a certain time."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography import x509

from app.errors import SetupError, TimestampNotGenuine, TimestampUnavailable

REQUEST_MEDIA_TYPE = "application/timestamp-query"
TIMEOUT_SECONDS = 15


@dataclass(frozen=True)
class TimestampAuthority:
    """A time stamping authority at an address."""

    url: str

    def __call__(self, message: bytes) -> bytes:
        """Return the authority's reply about the message. Raises `TimestampUnavailable`."""
        from rfc3161_client import (  # noqa: PLC0415  # 7 MB, which a server without an authority never needs
            HashAlgorithm,
            TimestampRequestBuilder,
            decode_timestamp_response,
        )

        request = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).build()
        try:
            reply = httpx.post(
                self.url,
                content=request.as_bytes(),
                headers={"Content-Type": REQUEST_MEDIA_TYPE},
                timeout=TIMEOUT_SECONDS,
                trust_env=False,
            )
            reply.raise_for_status()
            info = decode_timestamp_response(reply.content).tst_info
        except (httpx.HTTPError, ValueError):
            raise TimestampUnavailable from None
        if (info.nonce, info.message_imprint.message) != (request.nonce, request.message_imprint.message):
            raise TimestampUnavailable
        return reply.content


def check_timestamp(reply: bytes, message: bytes, authority: Path) -> dt.datetime:
    """Return the time that the authority states for the message. Raises `TimestampNotGenuine`.

    `authority` is a PEM file with the certificates that are trusted.
    """
    from rfc3161_client import (  # noqa: PLC0415  # as above
        VerificationError,
        VerifierBuilder,
        decode_timestamp_response,
    )

    try:
        roots = x509.load_pem_x509_certificates(authority.read_bytes())
    except (OSError, ValueError):
        raise SetupError(f"{authority} cannot be read as PEM certificates") from None
    try:
        response = decode_timestamp_response(reply)
        VerifierBuilder(roots=roots).build().verify_message(response, message)
    except (VerificationError, ValueError):
        raise TimestampNotGenuine from None
    return response.tst_info.gen_time
