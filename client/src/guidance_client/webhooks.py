"""The check of webhook notices, without a library (Standard Webhooks, HMAC-SHA256)."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from guidance_client.errors import NotGenuine

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300


def check_notice(
    body: bytes, headers: Mapping[str, str], secret: str, *, now: datetime | None = None
) -> dict[str, Any]:
    """Check the webhook notice, and return its content.

    Raise `NotGenuine` if the signature is wrong, or if the notice's time is five minutes or more away from `now`.
    Without `now`, compare with the clock. A notice may arrive more than once, with the same `webhook-id`.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    try:
        message, at = fields["webhook-id"], fields["webhook-timestamp"]
        signatures = fields["webhook-signature"].split()
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        apart = abs((now or datetime.now(UTC)).timestamp() - int(at))
    except (KeyError, ValueError, binascii.Error):
        raise NotGenuine("This is not a signed notice.") from None
    expected = base64.b64encode(hmac.digest(key, f"{message}.{at}.".encode() + body, hashlib.sha256)).decode()
    matches = [hmac.compare_digest(f"v1,{expected}".encode(), each.encode()) for each in signatures]
    if not any(matches):
        raise NotGenuine("The notice is not signed with this secret.")
    if apart >= TOLERANCE_SECONDS:
        raise NotGenuine("The notice is too old, or from the future. Perhaps it was sent again by somebody else.")
    notice: dict[str, Any] = json.loads(body)
    return notice
