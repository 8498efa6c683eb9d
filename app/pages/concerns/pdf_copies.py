"""A copy of the answers as a PDF for the reporter. With a signed receipt, the copy proves what was sent and when."""

import datetime as dt
import hashlib
import textwrap
from collections.abc import Mapping
from typing import Any

from fastapi import Response

from app import errors
from app.http.negotiation import PDF_TYPE
from app.http.responses import download
from app.models.base import canonical_submission
from app.models.concerns.concern import Concern
from app.pages.concerns.filled_form import FilledForm
from app.pages.concerns.form_answers import answered_sections, printed_section
from app.pages.languages import current_language, gettext, to_translate
from app.pages.page import Site
from app.pages.text_format import date_and_time, deadline
from app.services.concerns.receipt_signing import check_receipt
from app.services.desk.exports import concern_pdf

PROOF_WIDTH = 150
BOXES = to_translate(
    "This file cannot print some of the letters that you wrote: a box stands for each of them. We can read them all."
)


def copy_as_pdf(filled: FilledForm, concern: Concern, signed: str) -> Response:
    """Return a copy. It has reference and time if `signed` is the receipt for exactly these answers.

    Otherwise it says: not sent.
    """
    site, sent = filled.site, _find_sent(filled.site, concern, signed)
    reference = sent.get("jti", "")
    sections = [printed_section(each) for each in answered_sections(filled.form(), filled.answers)]
    printed = {
        "title": gettext("Concern {}").format(reference) if sent else gettext("Not sent yet"),
        "footer": gettext("Confidential: about a child."),
        "lang": current_language().code,
        "council": site.context.settings.council_name,
        "made": gettext("A copy of what you sent.") if sent else gettext("A copy of your answers."),
        "facts": _facts_of(site, concern, sent) if sent else [],
        "boxes": gettext(BOXES),
        "sections": [each for each in sections if each["groups"]],
        "proof": {
            "title": gettext("Signed receipt"),
            "label": gettext("Join the lines to check it with the keys of this website."),
            "text": "\n".join(textwrap.wrap(signed, PROOF_WIDTH)) if sent else "",
        },
    }
    return download(concern_pdf(printed), f"concern-{reference or 'not-sent'}.pdf", PDF_TYPE)


def _facts_of(site: Site, concern: Concern, sent: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Include the promised deadline, unless it is a test concern."""
    receipts, at = site.context.submissions.receipts, dt.datetime.fromisoformat(sent["received_at"])
    facts = [(gettext("Reference"), sent["jti"]), (gettext("Sent"), date_and_time(at))]
    if receipts.is_promised(concern.immediate_danger) and not sent.get("test"):
        danger, who = concern.immediate_danger, site.context.emergency_contacts.current()
        due = receipts.call_from(who, receipts.acknowledge_by(danger, at=at), danger)
        facts.append((gettext("A social worker should read it by"), deadline(due)))
    return facts


def _find_sent(site: Site, concern: Concern, signed: str) -> dict[str, Any]:
    """Return nothing unless this service signed for exactly this concern."""
    try:
        claims = check_receipt(signed, {"keys": list(site.context.signer.jwks)})
    except errors.ReceiptNotGenuine:
        return {}
    is_same = claims.get("submission_sha256") == hashlib.sha256(canonical_submission(concern)).hexdigest()
    return claims if is_same else {}
