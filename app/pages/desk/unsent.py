"""Recovery of unsent text about a concern, for the person who typed it.

The browser encrypts the text with a new key, stores it in the tab, and encrypts that key to the team's keys. Only the
encrypted key is sent to this service, which can decrypt it if it can decrypt concerns.
"""

import base64
import binascii

import orjson
from fastapi import Response

from app import errors
from app.errors import FieldError
from app.http.negotiation import JSON
from app.pages.desk.inbox import CONCERN_PAGES, ConcernReferenceInPath
from app.pages.frame import DeskRouter, Visit, WorkerVisitDep
from app.pages.posted_forms import SubmittedForm, SubmittedFormDep
from app.services.desk.presented_concerns import reference_of

router = DeskRouter(CONCERN_PAGES)
KEY = "key_of_typed"
"""Other documents encrypted to the team lack this field."""
NOT_YOURS = "this is not the key of text that you typed about this concern"


@router.post("/{reference}/typed")
def open_typed_on_page(visit: WorkerVisitDep, posted: SubmittedFormDep, reference: ConcernReferenceInPath) -> Response:
    return key_response(visit, reference_of(reference), posted)


def key_response(visit: Visit, place: str, posted: SubmittedForm) -> Response:
    """Return the key (JSON) of text that this person typed and did not send. `place` is a reference or a page.

    Raise `UnsealingUnavailable`. Raise `ValidationFailed` if it is damaged, not such a key, or that of another person
    or place.
    """
    try:
        sealed = base64.b64decode(posted.one("sealed"), validate=True)
        document = visit.context.unsealer.open(sealed, reference=place)
        if document["person"] == visit.visitor.name:
            return Response(orjson.dumps({"key": str(document[KEY])}), media_type=JSON)
    except (binascii.Error, KeyError, errors.SealedTextMisplaced):
        pass
    raise errors.ValidationFailed([FieldError(("sealed",), NOT_YOURS)])
