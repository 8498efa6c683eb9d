"""Passkeys: registering one by an invitation, and signing in with it. A challenge is signed once, within five minutes.

A module of its own, since it takes 0.2 s to import the library, for which no start waits.
"""

import datetime as dt
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import webauthn
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from webauthn.helpers import base64url_to_bytes, options_to_json, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from app.db.writer import Writer
from app.errors import TokenInvalid
from app.models.people import ChallengeRow, InvitationRow, PasskeyRow, PersonRow
from app.models.record import DeskAct
from app.services.access_record import name_on_record, record_person
from app.services.clients import token_digest
from app.services.people import BY_PASSKEY, RelyingParty, find_with_person
from app.services.record import Actor

CHALLENGE_BYTES = 32
CHALLENGE_LIFETIME = dt.timedelta(minutes=5)
CHOSEN = AuthenticatorSelectionCriteria(
    resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
)
"""A passkey that needs no name to be typed, and a PIN, a finger or a face each time."""


@dataclass(frozen=True)
class Passkeys:
    """Finds out whose passkey signed a challenge, and registers those of people who hold the token of an invitation."""

    writer: Writer
    party: RelyingParty

    def offer(self, *, at: dt.datetime) -> str:
        """Return the options with which the browser lets the person choose a passkey, as JSON."""
        options = webauthn.generate_authentication_options(
            rp_id=self.party.id,
            challenge=self.writer.run(partial(_store_challenge, at=at)),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    def verify(self, credential: str, *, at: dt.datetime) -> str:
        """Return the person whose passkey signed the challenge. Raises `TokenInvalid`."""
        challenge = self._take_challenge(credential, at)
        with _refusing_wrong_answers():
            credential_id = base64url_to_bytes(json.loads(credential)["id"])
        passkey = self.writer.run(partial(_get_passkey, credential_id=credential_id))
        with _refusing_wrong_answers():
            verified = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.party.id,
                expected_origin=self.party.origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        self.writer.run(partial(_note_use, credential_id=credential_id, count=verified.new_sign_count))
        return passkey.person

    def offer_registration(self, token: str, *, at: dt.datetime) -> str:
        """Return the options with which the browser makes a passkey, as JSON. Raises `TokenInvalid`."""

        def write(session: Session) -> str:
            _, person = _get_invitation(session, token, at)
            registered = session.exec(select(PasskeyRow).where(PasskeyRow.person == person.name))
            options = webauthn.generate_registration_options(
                rp_id=self.party.id,
                rp_name=self.party.name,
                user_id=person.handle,
                user_name=person.name,
                challenge=_store_challenge(session, at),
                authenticator_selection=CHOSEN,
                exclude_credentials=[PublicKeyCredentialDescriptor(id=each.credential_id) for each in registered],
            )
            return options_to_json(options)

        return self.writer.run(write)

    def register(self, token: str, credential: str, *, address: str, at: dt.datetime) -> str:
        """Store the passkey, use the invitation up, and return the person. Raises `TokenInvalid`."""
        challenge = self._take_challenge(credential, at)
        with _refusing_wrong_answers():
            verified = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.party.id,
                expected_origin=self.party.origin,
                require_user_verification=True,
            )
        return self.writer.run(partial(_store_passkey, token=token, verified=verified, address=address, at=at))

    def _take_challenge(self, credential: str, at: dt.datetime) -> bytes:
        """Return the challenge that the browser's answer names, and use it up. Raises `TokenInvalid`."""
        with _refusing_wrong_answers():
            encoded = json.loads(credential)["response"]["clientDataJSON"]
            challenge = parse_client_data_json(base64url_to_bytes(encoded)).challenge
        if not self.writer.run(partial(_delete_challenge, challenge=challenge, at=at)):
            raise TokenInvalid("the challenge was signed before, or too late")
        return challenge


@contextmanager
def _refusing_wrong_answers() -> Iterator[None]:
    """Refuse what the library raises an error for: an answer that is not right, or is none."""
    try:
        yield
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError):
        raise TokenInvalid("the passkey's answer is not right") from None


def _store_challenge(session: Session, at: dt.datetime) -> bytes:
    """Return a new challenge, in place of those that were not signed in time."""
    session.connection().execute(delete(ChallengeRow).where(col(ChallengeRow.expires_at) <= at))
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    session.add(ChallengeRow(challenge=challenge, expires_at=at + CHALLENGE_LIFETIME))
    return challenge


def _delete_challenge(session: Session, *, challenge: bytes, at: dt.datetime) -> bool:
    """Delete the challenge, and return whether it was there and could still be signed."""
    row = session.get(ChallengeRow, challenge)
    if row is None:
        return False
    session.delete(row)
    return at < row.expires_at


def _store_passkey(
    session: Session, *, token: str, verified: VerifiedRegistration, address: str, at: dt.datetime
) -> str:
    invitation, person = _get_invitation(session, token, at)
    session.delete(invitation)
    passkey = PasskeyRow(
        credential_id=verified.credential_id,
        person=person.name,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        added_at=at,
    )
    session.add(passkey)
    try:
        session.flush()
    except IntegrityError:
        raise TokenInvalid("that passkey is registered") from None
    detail = f"passkey {name_on_record(passkey)} by link {name_on_record(invitation)}"
    record_person(session, DeskAct.PASSKEY_ADDED, Actor(f"{BY_PASSKEY}/{person.name}", address, at), detail)
    return person.name


def _get_invitation(session: Session, token: str, at: dt.datetime) -> tuple[InvitationRow, PersonRow]:
    found = find_with_person(session, InvitationRow, col(InvitationRow.token_sha256) == token_digest(token))
    if found is None or at >= found[0].expires_at or found[1].left_at is not None:
        raise TokenInvalid("the invitation was used, or has expired")
    return found


def _get_passkey(session: Session, *, credential_id: bytes) -> PasskeyRow:
    found = find_with_person(session, PasskeyRow, col(PasskeyRow.credential_id) == credential_id)
    if found is None or found[1].left_at is not None:
        raise TokenInvalid("no person has that passkey")
    return found[0]


def _note_use(session: Session, *, credential_id: bytes, count: int) -> None:
    passkey = session.get(PasskeyRow, credential_id)
    if passkey is not None:
        passkey.sign_count = max(passkey.sign_count, count)
