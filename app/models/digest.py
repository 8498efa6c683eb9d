"""Canonical JSON (RFC 8785), and digests that a caller can compute again from a response."""

import hashlib

import orjson
from pydantic import BaseModel, JsonValue


def _without_empty_members(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        pruned = {key: _without_empty_members(member) for key, member in value.items()}
        return {key: member for key, member in pruned.items() if member not in (None, [], {})}
    if isinstance(value, list):
        return [_without_empty_members(member) for member in value]
    return value


def digest_of(content: BaseModel) -> str:
    """Return the digest of an edition or a rendition: `sha256:` and 64 hexadecimal digits.

    It is the SHA-256 of the canonical JSON (RFC 8785) of its content (of an edition, the members `title` to `contacts`;
    of a rendition, its own content), after every member whose
    value is null, an empty array or an empty object has been left out. So a key that is added to this API later, and
    is empty in older editions, changes no digest.
    """
    canonical = canonical_json(_without_empty_members(content.model_dump(mode="json")))
    return f"sha256:{hashlib.sha256(canonical).hexdigest()}"


def canonical_submission(submission: BaseModel) -> bytes:
    """Return the fields that were sent, as canonical JSON. The receipt has its SHA-256.

    The order and spacing of the JSON that was sent do not matter.
    """
    return canonical_json(submission.model_dump(mode="json", exclude_unset=True))


def canonical_json(value: JsonValue) -> bytes:
    """Return the canonical JSON (RFC 8785) of a value whose names are ASCII, and which holds no fraction.

    orjson sorts names by their characters and has its own format of numbers. Under those two conditions both are as
    the RFC requires. Raises `orjson.JSONEncodeError` for a whole number beyond 53 bits.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
