"""Files of one person: the concerns that name the person, as one signed PDF with JSON inside.

The worker's browser makes the file, because the service may be unable to decrypt. A file for a court has of each
concern what an export has. For the person, a worker has removed text that names others: so it has no sealed text and no
history, which would reveal it.
"""

from collections.abc import Iterator
from typing import Any

from sqlmodel import Session

from app.models.audit.details import ExportedDetails
from app.models.audit.rows import DeskAct
from app.models.desk.exports import NewPersonFile, PersonFilePurpose
from app.services.audit.audit_log import Actor, record_action
from app.services.concerns.receipt_signing import PERSON_FILE, ReceiptSigner
from app.services.concerns.rows import get_unerased
from app.services.desk.exports import ExportFile, Keys, claims_of, faults_in_concern, faults_in_signature
from app.services.desk.file_requests import take_step
from app.services.desk.presented_concerns import reference_of

PERSON_FILE_KIND = "guidance-person-file"


def record_person_file(
    session: Session, number: int, person_file: NewPersonFile, actor: Actor, signer: ReceiptSigner
) -> str:
    """Record the file of a request in it and in each of its concerns, and return the signature.

    Only a court's file names the worker. Raise `NoSuchConcern` or `ConcernErased`, and the errors of `take_step`.
    """
    purpose = take_step(session, number, DeskAct.FILE_MADE, actor, person_file.file_sha256).purpose
    references = list(dict.fromkeys(map(reference_of, person_file.references)))
    for_person = purpose is PersonFilePurpose.PERSON
    details = ExportedDetails(
        file_sha256=person_file.file_sha256, notes=person_file.notes, together=len(references), for_person=for_person
    )
    for reference in references:
        get_unerased(session, reference)
        record_action(session, reference, DeskAct.EXPORTED, actor, details)
    claims = person_file.model_dump(mode="json") | {"references": references, "purpose": purpose.value}
    claims |= {} if for_person else {"by": actor.client}
    return signer.sign(claims_of(person_file.file_sha256, actor.at) | claims, kind=PERSON_FILE)


def is_person_file(document: dict[str, Any]) -> bool:
    return document.get("kind") == PERSON_FILE_KIND


def find_person_file_faults(file: ExportFile, keys: Keys) -> Iterator[str]:
    """Check the signature of a file for the person, and every concern of a file for a court.

    Yield last what cannot be checked.
    """
    try:
        yield from _faults(file, keys)
    except (LookupError, TypeError, ValueError, AttributeError):
        yield "the JSON in it is not that of the file of one person"


def _faults(file: ExportFile, keys: Keys) -> Iterator[str]:
    document, concerns = file.document, file.document["concerns"]
    references, notes = [each["reference"] for each in concerns], document["notes_included"]
    claimed = {"references": references, "notes": notes, "purpose": document["purpose"]}
    yield from faults_in_signature(file, keys, kind=PERSON_FILE, claimed=claimed)
    if document["purpose"] == PersonFilePurpose.PERSON:
        return
    for concern in concerns:
        for fault in faults_in_concern(concern | {"notes_included": notes}, keys):
            yield f"{concern['reference']}: {fault}"
