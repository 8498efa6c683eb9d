"""Idempotency keys of requests, and the response that a retry gets again."""

from fastapi import Response

from app.services.concerns.idempotency import IdempotencyKeys, IdempotentResult, derive_idempotency_keys
from app.web.negotiation import JSON


def keys_from(idempotency_key: str | None, *, client: str) -> IdempotencyKeys | None:
    """Return the keys derived from the header, with quotes or without; None if there is none."""
    return derive_idempotency_keys(without_quotes(idempotency_key), client=client)


def without_quotes(idempotency_key: str | None) -> str | None:
    """Return the header's value without the quotes that a structured field has."""
    return None if idempotency_key is None else idempotency_key.strip('"')


def created_response(result: IdempotentResult, location: str) -> Response:
    """Return 201 with the receipt. A header says if it is that of an earlier, identical request."""
    headers = {"Location": location}
    if result.is_replay:
        headers["Idempotency-Replayed"] = "true"
    return Response(result.receipt, status_code=201, media_type=JSON, headers=headers)
