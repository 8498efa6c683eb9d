"""Sealed files as responses, in the age format."""

from fastapi import Response

from app.services.concerns.sealing import AGE_MEDIA_TYPE
from app.web.problem_responses import Responses

SEALED: Responses = {
    200: {
        "description": "The concern, opened; or its sealed file, where this service holds no identity.",
        "content": {
            AGE_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}, "example": "age-encryption.org/v1"}
        },
    }
}


def sealed_file(sealed: bytes, name: str, *, additions: int) -> Response:
    """Return the sealed file. The header `Additions` is the number of additions to fetch."""
    headers = {
        "Vary": "Accept",
        "Content-Disposition": f'attachment; filename="{name}.age"',
        "Additions": str(additions),
    }
    return Response(sealed, media_type=AGE_MEDIA_TYPE, headers=headers)
