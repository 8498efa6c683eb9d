"""Registering a passkey by an invitation, which is used up by it."""

import datetime as dt
from dataclasses import dataclass
from functools import partial

import webauthn
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session
from webauthn.helpers import options_to_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from app.errors import TokenInvalid
from app.models.desk.disclosure_tables import DeskAct
from app.models.people import InvitationRow, PasskeyRow, PersonRow
from app.services.access.challenges import NOT_RIGHT, WRONG_ANSWERS, store_challenge, take_challenge
from app.services.access.people import BY_PASSKEY, record_person, token_digest
from app.services.access.relying_party import RelyingParty
from app.store.disclosures import Actor
from app.store.people import find_invitation, list_passkeys
from app.store.writer import Writer

CHOSEN = AuthenticatorSelectionCriteria(
    resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
)
"""A passkey that needs no name to be typed, and a PIN, a finger or a face each time."""


@dataclass(frozen=True)
class Invitations:
    """Registers passkeys of people who hold the token of an invitation."""

    writer: Writer
    party: RelyingParty

    def offer(self, token: str, *, at: dt.datetime) -> str:
        """Return the options with which the browser makes a passkey, as JSON. Raises `TokenInvalid`."""
        return self.writer.run(partial(_offer, token=token, party=self.party, at=at))

    def accept(self, token: str, credential: str, *, address: str, at: dt.datetime) -> str:
        """Store the passkey, use the invitation up, and return the person. Raises `TokenInvalid`."""
        challenge = take_challenge(self.writer, credential, at=at)
        try:
            verified = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.party.id,
                expected_origin=self.party.origin,
                require_user_verification=True,
            )
        except WRONG_ANSWERS:
            raise TokenInvalid(NOT_RIGHT) from None
        return self.writer.run(partial(_store, token=token, verified=verified, address=address, at=at))


def _offer(session: Session, *, token: str, party: RelyingParty, at: dt.datetime) -> str:
    _, person = _get_invitation(session, token, at)
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=person.handle,
        user_name=person.name,
        challenge=store_challenge(session, at),
        authenticator_selection=CHOSEN,
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=each.credential_id) for each in list_passkeys(session, person.name)
        ],
    )
    return options_to_json(options)


def _store(session: Session, *, token: str, verified: VerifiedRegistration, address: str, at: dt.datetime) -> str:
    invitation, person = _get_invitation(session, token, at)
    session.delete(invitation)
    session.add(
        PasskeyRow(
            credential_id=verified.credential_id,
            person=person.name,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            added_at=at,
        )
    )
    try:
        session.flush()
    except IntegrityError:
        raise TokenInvalid("that passkey is registered") from None
    record_person(session, DeskAct.PASSKEY_ADDED, actor=Actor(f"{BY_PASSKEY}/{person.name}", address), at=at)
    return person.name


def _get_invitation(session: Session, token: str, at: dt.datetime) -> tuple[InvitationRow, PersonRow]:
    found = find_invitation(session, token_digest(token))
    if found is None or at >= found[0].expires_at or found[1].left_at is not None:
        raise TokenInvalid("the invitation was used, or has expired")
    return found
