"""Passkeys (WebAuthn): registration by invitation, and sign-in.

A challenge carries its expiry and a MAC. It is stored only after a passkey has signed it, so that people who are not
signed in cannot fill the database. This is a separate module because the library takes 0.2 s to import.
"""

import datetime as dt
import hmac
import json
import secrets
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import webauthn
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json, parse_client_data_json
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
from app.models.access.people import ChallengeRow, InvitationRow, PasskeyRow, PersonRow
from app.models.audit.details import PasskeyDetails
from app.models.audit.rows import DeskAct
from app.models.base import parse_json
from app.services.access.access_record import name_on_record, record_person
from app.services.access.clients import token_digest
from app.services.access.key_copies import PRF_INPUT, Device, valid_recipient
from app.services.access.people import BY_PASSKEY, RelyingParty, find_with_person
from app.services.access.row_signing import need_access_keys
from app.services.audit.audit_log import Actor

CHALLENGE_BYTES = 32
CHALLENGE_LIFETIME = dt.timedelta(minutes=5)
CHALLENGE = struct.Struct(f">q{CHALLENGE_BYTES}s32s")
"""Expiry in seconds since 1970, random bytes, and a MAC of both."""
CHOSEN = AuthenticatorSelectionCriteria(
    resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
)
"""Sign-in needs no typed name, and asks for a PIN, fingerprint or face each time."""


@dataclass(frozen=True)
class Passkeys:
    writer: Writer
    party: RelyingParty

    def offer(self, *, at: dt.datetime) -> str:
        """Return the options for a sign-in as JSON. They name no passkey, and ask for the secret for a key copy."""
        options = webauthn.generate_authentication_options(
            rp_id=self.party.id,
            challenge=self._make_challenge(at),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return _with_prf(options_to_json(options))

    def verify(self, credential: str, *, at: dt.datetime, recipient: str = "") -> str:
        """Return the person whose passkey signed. A used challenge is refused. Raise `TokenInvalid` or `StoreBusy`.

        A valid `recipient` is stored only here and at registration, so that a stolen session cannot replace it.
        """
        challenge = self._read_challenge(credential, at)
        with _refusing_wrong_answers():
            credential_id = base64url_to_bytes(parse_json(credential)["id"])
        with Session(self.writer.engine) as session:
            passkey = _get_passkey(session, credential_id=credential_id)
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
        count = verified.new_sign_count
        known = valid_recipient(recipient)
        self.writer.run(
            _note_use, credential_id=credential_id, count=count, challenge=challenge, recipient=known, at=at
        )
        return passkey.person

    def offer_registration(self, token: str, *, at: dt.datetime) -> str:
        """Return the options for a new passkey as JSON. The invitation stays valid. Raise `TokenInvalid`."""
        with Session(self.writer.engine) as session:
            _, person = _get_invitation(session, token, at)
            registered = session.exec(select(PasskeyRow).where(PasskeyRow.person == person.name))
            options = webauthn.generate_registration_options(
                rp_id=self.party.id,
                rp_name=self.party.name,
                user_id=person.handle,
                user_name=person.name,
                challenge=self._make_challenge(at),
                authenticator_selection=CHOSEN,
                exclude_credentials=[PublicKeyCredentialDescriptor(id=each.credential_id) for each in registered],
            )
        return _with_prf(options_to_json(options))

    def register(self, token: str, credential: str, device: Device, *, address: str, at: dt.datetime) -> str:
        """Store the passkey, delete the invitation, and return the person's name. Raise `TokenInvalid`, `StoreBusy`."""
        challenge = self._read_challenge(credential, at)
        with _refusing_wrong_answers():
            verified = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.party.id,
                expected_origin=self.party.origin,
                require_user_verification=True,
            )

        return self.writer.run(_store_passkey, challenge, token, verified, device, address=address, at=at)

    def _make_challenge(self, at: dt.datetime) -> bytes:
        """Fill the MAC with zeros without an access key: there are no passkeys then, and every response is refused."""
        ends, drawn = int((at + CHALLENGE_LIFETIME).timestamp()), secrets.token_bytes(CHALLENGE_BYTES)
        return CHALLENGE.pack(ends, drawn, next(self._macs(ends, drawn), bytes(32)))

    def _read_challenge(self, credential: str, at: dt.datetime) -> bytes:
        with _refusing_wrong_answers():
            encoded = parse_json(credential)["response"]["clientDataJSON"]
            challenge = parse_client_data_json(base64url_to_bytes(encoded)).challenge
        try:
            ends, drawn, mac = CHALLENGE.unpack(challenge)
        except struct.error:
            raise TokenInvalid("the challenge is none of ours") from None
        keys = need_access_keys(self.writer.engine)
        if not keys.look_twice(lambda: any(hmac.compare_digest(mac, each) for each in self._macs(ends, drawn))):
            raise TokenInvalid("the challenge is none of ours")
        if at.timestamp() >= ends:
            raise TokenInvalid("the challenge was signed too late")
        return challenge

    def _macs(self, ends: int, drawn: bytes) -> Iterator[bytes]:
        text = b"passkey challenge\n%d\n%s" % (ends, drawn)
        return (hmac.digest(key.value, text, "sha256") for key in need_access_keys(self.writer.engine).keys)


@contextmanager
def _refusing_wrong_answers() -> Iterator[None]:
    try:
        yield
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise TokenInvalid("the passkey's answer is not right") from None


def _use_challenge(session: Session, challenge: bytes, at: dt.datetime) -> None:
    session.connection().execute(delete(ChallengeRow).where(col(ChallengeRow.expires_at) <= at))
    session.add(ChallengeRow(challenge=challenge, expires_at=at + CHALLENGE_LIFETIME))
    try:
        session.flush()
    except IntegrityError:
        raise TokenInvalid("the challenge was signed before") from None


def _with_prf(options: str) -> str:
    first = bytes_to_base64url(PRF_INPUT)
    return json.dumps(json.loads(options) | {"extensions": {"prf": {"eval": {"first": first}}}})


def _store_passkey(
    session: Session,
    challenge: bytes,
    token: str,
    verified: VerifiedRegistration,
    device: Device,
    *,
    address: str,
    at: dt.datetime,
) -> str:
    _use_challenge(session, challenge, at)
    invitation, person = _get_invitation(session, token, at)
    session.delete(invitation)
    passkey = PasskeyRow(
        credential_id=verified.credential_id,
        person=person.name,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        added_at=at,
        name=device.name,
        recipient=valid_recipient(device.recipient),
    )
    session.add(passkey)
    try:
        session.flush()
    except IntegrityError:
        raise TokenInvalid("that passkey is registered") from None
    details = PasskeyDetails(passkey=name_on_record(passkey), link=name_on_record(invitation))
    record_person(session, DeskAct.PASSKEY_ADDED, Actor(f"{BY_PASSKEY}/{person.name}", address, at), details)
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


def _note_use(
    session: Session, *, credential_id: bytes, count: int, challenge: bytes, recipient: str | None, at: dt.datetime
) -> None:
    _use_challenge(session, challenge, at)
    passkey = _get_passkey(session, credential_id=credential_id)
    passkey.sign_count = max(passkey.sign_count, count)
    passkey.recipient = recipient or passkey.recipient
