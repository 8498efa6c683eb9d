"""Sealed files as responses, in the age format."""

from collections.abc import Mapping

from fastapi import Response

from app.age.keys import AGE_MEDIA_TYPE
from app.web.responses import Responses

SEALED: Responses = {
    200: {
        "description": "The concern, opened; or its sealed file, where this service holds no identity.",
        "content": {
            AGE_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}, "example": "age-encryption.org/v1"}
        },
    }
}


def sealed_file(sealed: bytes, name: str, counts: Mapping[str, int]) -> Response:
    """Return the sealed file, with a header for each count: how many additions, or notes, can be fetched."""
    headers = {
        "Vary": "Accept",
        "Content-Disposition": f'attachment; filename="{name}.age"',
        **{name: str(count) for name, count in counts.items()},
    }
    return Response(sealed, media_type=AGE_MEDIA_TYPE, headers=headers)
