"""The file of an export: a PDF with JSON inside, and the service's signature over all of it at its end.

The signature is a comment of the PDF. After it the last lines of the PDF are repeated, so that every program that reads
PDFs finds its way from the end. Nothing else may follow.
"""

import hashlib
import io
import json
import re
from importlib.util import find_spec
from typing import Any, NamedTuple

from app.errors import ExportNotGenuine, PdfUnavailable

ATTACHMENT = "concern.json"
SIGNED = re.compile(
    rb"(?P<pdf>.*\nstartxref\n(?P<start>[0-9]+)\n%%EOF\n)"
    rb"%guidance-export (?P<signature>[A-Za-z0-9_.-]+)\nstartxref\n(?P=start)\n%%EOF\n",
    re.DOTALL,
)


class ExportFile(NamedTuple):
    """What is in the file of an export: the SHA-256 of what was signed, the signature, and the JSON."""

    sha256: str
    signature: str
    document: dict[str, Any]


def finish_pdf(pdf: bytes) -> bytes:
    """Return the PDF as it is signed: with a line end after its last line."""
    return pdf.rstrip(b"\r\n") + b"\n"


def add_signature(pdf: bytes, signature: str) -> bytes:
    """Return the file: the finished PDF, and its signature."""
    start = pdf.rpartition(b"startxref\n")[2].partition(b"\n")[0]
    return pdf + b"%guidance-export " + signature.encode() + b"\nstartxref\n" + start + b"\n%%EOF\n"


def read_export_file(content: bytes) -> ExportFile:
    """Return what is in the file. Raises `ExportNotGenuine` or `PdfUnavailable`."""
    found = SIGNED.fullmatch(content)
    if found is None:
        raise ExportNotGenuine("The file is no export, or its end was cut off or changed.")
    document = json_of(_attachment(found["pdf"]))
    return ExportFile(hashlib.sha256(found["pdf"]).hexdigest(), found["signature"].decode(), document)


def json_of(text: bytes) -> dict[str, Any]:
    """Return the JSON object. Raises `ExportNotGenuine`."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ExportNotGenuine("The JSON in the file cannot be read.")
    return document


def _attachment(pdf: bytes) -> bytes:
    """Return the JSON inside the PDF."""
    if find_spec("pypdf") is None:
        raise PdfUnavailable
    import pypdf  # noqa: PLC0415  # an extra
    from pypdf.errors import PyPdfError  # noqa: PLC0415  # an extra

    try:
        (content,) = pypdf.PdfReader(io.BytesIO(pdf)).attachments[ATTACHMENT]
    except (PyPdfError, KeyError, ValueError, TypeError, AttributeError):
        raise ExportNotGenuine("There is no readable JSON in the file.") from None
    return bytes(content)
