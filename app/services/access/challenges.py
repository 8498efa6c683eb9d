"""Challenges for passkeys: random bytes that are signed once, within five minutes."""

import datetime as dt
import json
import secrets
from functools import partial

from sqlmodel import Session
from webauthn.helpers import base64url_to_bytes, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException

from app.errors import TokenInvalid
from app.models.people import ChallengeRow
from app.store.people import delete_expired_challenges
from app.store.writer import Writer

CHALLENGE_BYTES = 32
CHALLENGE_LIFETIME = dt.timedelta(minutes=5)
WRONG_ANSWERS = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError)
"""What the library raises for an answer that is not right, or is none."""
NOT_RIGHT = "the passkey's answer is not right"


def store_challenge(session: Session, at: dt.datetime) -> bytes:
    """Return a new challenge, in the caller's transaction."""
    delete_expired_challenges(session, at)
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    session.add(ChallengeRow(challenge=challenge, expires_at=at + CHALLENGE_LIFETIME))
    return challenge


def take_challenge(writer: Writer, credential: str, *, at: dt.datetime) -> bytes:
    """Return the challenge that the browser's answer names, and use it up. Raises `TokenInvalid`."""
    try:
        encoded = json.loads(credential)["response"]["clientDataJSON"]
        challenge = parse_client_data_json(base64url_to_bytes(encoded)).challenge
    except WRONG_ANSWERS:
        raise TokenInvalid(NOT_RIGHT) from None
    if not writer.run(partial(_delete, challenge=challenge, at=at)):
        raise TokenInvalid("the challenge was signed before, or too late")
    return challenge


def _delete(session: Session, *, challenge: bytes, at: dt.datetime) -> bool:
    """Delete the challenge, and return whether it was there and could still be signed."""
    row = session.get(ChallengeRow, challenge)
    if row is None:
        return False
    session.delete(row)
    return at < row.expires_at
