"""Signing in with a passkey."""

import datetime as dt
import json
from dataclasses import dataclass
from functools import partial

import webauthn
from sqlmodel import Session
from webauthn.helpers import base64url_to_bytes, options_to_json
from webauthn.helpers.structs import UserVerificationRequirement

from app.errors import TokenInvalid
from app.models.people import PasskeyRow
from app.services.access.challenges import NOT_RIGHT, WRONG_ANSWERS, store_challenge, take_challenge
from app.services.access.relying_party import RelyingParty
from app.store.people import find_passkey
from app.store.writer import Writer


@dataclass(frozen=True)
class Passkeys:
    """Finds out whose passkey signed a challenge."""

    writer: Writer
    party: RelyingParty

    def offer(self, *, at: dt.datetime) -> str:
        """Return the options with which the browser lets the person choose a passkey, as JSON."""
        return self.writer.run(partial(_offer, party=self.party, at=at))

    def verify(self, credential: str, *, at: dt.datetime) -> str:
        """Return the person whose passkey signed the challenge. Raises `TokenInvalid`."""
        challenge = take_challenge(self.writer, credential, at=at)
        try:
            credential_id = base64url_to_bytes(json.loads(credential)["id"])
        except WRONG_ANSWERS:
            raise TokenInvalid(NOT_RIGHT) from None
        passkey = self.writer.run(partial(_get, credential_id=credential_id))
        try:
            verified = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.party.id,
                expected_origin=self.party.origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except WRONG_ANSWERS:
            raise TokenInvalid(NOT_RIGHT) from None
        self.writer.run(partial(_note_use, credential_id=credential_id, count=verified.new_sign_count))
        return passkey.person


def _offer(session: Session, *, party: RelyingParty, at: dt.datetime) -> str:
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=store_challenge(session, at),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def _get(session: Session, *, credential_id: bytes) -> PasskeyRow:
    found = find_passkey(session, credential_id)
    if found is None or found[1].left_at is not None:
        raise TokenInvalid("no person has that passkey")
    return found[0]


def _note_use(session: Session, *, credential_id: bytes, count: int) -> None:
    passkey = session.get(PasskeyRow, credential_id)
    if passkey is not None:
        passkey.sign_count = max(passkey.sign_count, count)
