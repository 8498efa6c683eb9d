"""Pictures of renditions, stored by the digest of their bytes."""

import re
from collections.abc import Iterator

from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.db.tables import table_of
from app.errors import FaultCode, FieldError, NotFound
from app.models.base import digest_of_bytes
from app.models.guides.edition_keys import RenditionKey, name_of_edition
from app.models.guides.edition_rows import OWN_WORDS, EditionRow, PictureRow
from app.models.guides.renditions import RenditionContent

MEDIA_TYPE = "image/jpeg"
ANY_DIGEST = re.compile("sha256:[0-9a-f]{64}")
SIZE_MARKER = b"\xff\xc0\x00\x11\x08"
"""Just before height and width in a JPEG that the service made (baseline, three colours)."""
_PICTURES = table_of(PictureRow)


def size_of_picture(data: bytes) -> tuple[int, int] | None:
    """Return width and height. A JPEG without `SIZE_MARKER`, which the service's own have, gives None."""
    _, marker, rest = data.partition(SIZE_MARKER)
    return (int.from_bytes(rest[2:4]), int.from_bytes(rest[:2])) if marker else None


def read_picture(session: Session, digest: str) -> bytes:
    """Return a stored picture. Raise `NotFound`."""
    row = session.get(PictureRow, digest)
    if row is None:
        raise NotFound
    return row.data


def find_picture_errors(session: Session, content: RenditionContent) -> Iterator[FieldError]:
    """Yield an error for each picture that is not stored or has another size."""
    for place, each in enumerate(content.pictures):
        row = session.get(PictureRow, each.digest)
        if row is None:
            yield FieldError(("pictures", place, "digest"), "No such picture is stored here.", FaultCode.UNKNOWN_ITEM)
        elif (size := size_of_picture(row.data)) != (each.width, each.height):
            width, height = size or (0, 0)
            yield FieldError(("pictures", place, "width"), f"The stored picture has {width} by {height} pixels.")


def find_changed_pictures(session: Session) -> Iterator[tuple[str, str]]:
    """Yield each picture whose bytes changed, and each published rendition whose picture is not stored."""
    stored = set()
    for digest, data in session.execute(select_columns(_PICTURES.c.digest, _PICTURES.c.data)).yield_per(1):
        stored.add(digest)
        if digest_of_bytes(data) != digest:
            yield f"picture {digest}", "its bytes were changed"
    renditions = select(EditionRow).where(EditionRow.language != OWN_WORDS)
    for row in session.exec(renditions.order_by(EditionRow.guide, EditionRow.language, col(EditionRow.number))):
        words = row.words if isinstance(row.words, dict) else {}
        for digest in ANY_DIGEST.findall(str(words.get("pictures"))):
            if digest not in stored:
                yield (
                    name_of_edition(RenditionKey(row.guide, row.language, row.number)),
                    f"its picture {digest} is missing",
                )
