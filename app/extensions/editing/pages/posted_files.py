"""Posted HTML forms with a file."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.errors import BadRequest, UnsupportedMediaType
from app.http.json_bodies import InvalidBody, refuse_compressed
from app.models.base import NOT_STORABLE
from app.pages.posted_forms import SubmittedForm

MULTIPART = "multipart/form-data"
BOUNDARY = re.compile(r"""boundary="?([^\s";,]{1,70})""", re.IGNORECASE)
PART_NAME = re.compile(r"""form-data; name="([^"]*)"(?:; filename="([^"]*)")?""", re.IGNORECASE)
MAX_PARTS = 10
MAX_PART_HEAD = 2000


@dataclass(frozen=True)
class PostedFile:
    """A posted form with at most one file."""

    form: SubmittedForm
    name: str = ""
    data: bytes = b""


async def parse_posted_file(request: Request) -> PostedFile:
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    boundary = BOUNDARY.search(parameters)
    if kind.strip().lower() != MULTIPART or boundary is None:
        raise InvalidBody(UnsupportedMediaType, UnsupportedMediaType.meaning)
    refuse_compressed(request)
    body = await request.body()  # whole and within the size limit: see `app.http.request_bodies`
    try:
        return parse_multipart(body, boundary[1].encode("latin-1"))
    except ValueError:
        raise InvalidBody(BadRequest, BadRequest.meaning) from None


def parse_multipart(body: bytes, boundary: bytes) -> PostedFile:
    """Ignore parts beyond `MAX_PARTS` or without a name, and files but the last. Raise `ValueError`."""
    fields: dict[str, list[str]] = {}
    name, data = "", b""
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary, MAX_PARTS + 1)[1 : MAX_PARTS + 1]:
        head, _, value = part.partition(b"\r\n\r\n")
        found = PART_NAME.search(head[:MAX_PART_HEAD].decode())
        if found is not None and found[2] is not None:
            name, data = found[2], value
        elif found is not None:
            fields.setdefault(found[1], []).append(value.decode().replace("\r\n", "\n"))
    if any(NOT_STORABLE.search(value) for values in ([name], *fields.values()) for value in values):
        raise ValueError
    return PostedFile(SubmittedForm(fields), name, data)


PostedFileDep = Annotated[PostedFile, Depends(parse_posted_file)]
