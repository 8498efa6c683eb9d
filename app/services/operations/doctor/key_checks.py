"""Checks of keys: who can open concerns, and what signs receipts."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from app.errors import SetupError
from app.services.access.key_files import RECEIPT_KEY, load_receipt_key
from app.services.concerns.sealing import make_sealer, read_identities
from app.services.operations.doctor.finding import Check, Verdict, fault, fine, warn
from app.services.operations.doctor.patient import Patient

KEYS = "docs/how-to/keys-and-sealed-concerns.md"
FEWEST_RECIPIENTS = 2
MAX_KEY_FILE_BYTES = 100_000
KEY_AGE = dt.timedelta(days=730)


def check_number_of_recipients(patient: Patient) -> Verdict:
    """Check that concerns are sealed to two recipients or more, so that one lost identity loses nothing."""
    recipients = set(patient.settings.seal_to)
    if not recipients:
        return fault(
            "GUIDANCE_SEAL_TO is not set: this is a trial, sealed to a key beside the database",
            "set it to the duty team's recipients (guidance keys new)",
        )
    try:
        make_sealer(sorted(recipients))
    except SetupError as refusal:
        return fault(str(refusal), "correct GUIDANCE_SEAL_TO (guidance keys list)")
    if len(recipients) < FEWEST_RECIPIENTS:
        return warn(
            "there is one recipient: if its identity is lost, every concern is",
            "add a second recipient to GUIDANCE_SEAL_TO, then run guidance keys reseal",
        )
    return fine(f"{len(recipients)} recipients")


def check_identities(patient: Patient) -> Verdict:
    """Check that no identity which opens concerns is on this machine, as far as the service knows the machine."""
    here = [path for path in _files_here(patient) if _opens_concerns(path, patient.settings.seal_to)]
    configured = patient.settings.seal_identity_file
    if any(path != configured for path in here):
        names = ", ".join(str(path) for path in here if path != configured)
        return fault(
            f"an identity that opens concerns is in {names}",
            "move it to the people who open concerns, off this machine",
        )
    if here:
        return warn(
            f"GUIDANCE_SEAL_IDENTITY_FILE: this machine can open concerns ({configured})",
            "unset it where the service only receives: then a stolen server opens nothing",
        )
    return fine("no identity of a recipient is in the folders of the service")


def _files_here(patient: Patient) -> Iterator[Path]:
    settings = patient.settings
    if settings.seal_identity_file is not None and settings.seal_identity_file.is_file():
        yield settings.seal_identity_file
    for folder in filter(None, (settings.data_dir, settings.backup_folder)):
        if folder.is_dir():
            yield from sorted(each for each in folder.iterdir() if each.is_file() and not each.is_symlink())


def _opens_concerns(path: Path, recipients: tuple[str, ...]) -> bool:
    try:
        if path.stat().st_size > MAX_KEY_FILE_BYTES:
            return False
        own = {str(each.to_public()) for each in read_identities(path).identities}
    except (OSError, SetupError):
        return False
    return bool(own & set(recipients))


def check_receipt_key(patient: Patient) -> Verdict:
    """Check the key that signs receipts: it is there, it can be read, it is shared by all nodes, and its age."""
    settings = patient.settings
    path = settings.receipt_key_file or settings.data_dir / RECEIPT_KEY
    if not path.is_file():
        return fault(f"there is no receipt key at {path}", "start the service once, or put the key back from its store")
    try:
        load_receipt_key(path, settings.data_dir)
        age = patient.at - dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    except (OSError, SetupError):
        return fault(f"{path} is no Ed25519 key", "put the key back from its store")
    if not patient.is_embedded and settings.receipt_key_file is None:
        return warn("each node signs with a key of its own", "give all nodes the same GUIDANCE_RECEIPT_KEY_FILE")
    if age > KEY_AGE:
        return warn(
            f"the receipt key is {age.days} days old",
            "make another, and name this one in GUIDANCE_RETIRED_RECEIPT_KEYS",
        )
    return fine(f"the receipt key is {max(age.days, 0)} days old")


KEY_CHECKS = (
    Check("recipients", check_number_of_recipients, KEYS),
    Check("identities", check_identities, KEYS),
    Check("receipt-key", check_receipt_key, "docs/reference/receipts.md"),
)
