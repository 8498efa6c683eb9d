"""Digests of editions and submissions, computed here to compare them with those of the service."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from guidance_client.errors import NotGenuine


def canonical_json(value: Any) -> bytes:
    """Return `value` as canonical JSON (RFC 8785). `value` may have only ASCII field names, and no fractions."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest_of(edition: Mapping[str, Any]) -> str:
    """Return the digest of an edition's content: `sha256:` and 64 hexadecimal digits.

    The digest covers the fields that `digest_of` of the edition names, without fields that are null or empty. Raise
    `KeyError` if one of these fields is missing, as in a section.
    """
    content = {name: edition[name] for name in edition["digest_of"]}
    return f"sha256:{hashlib.sha256(canonical_json(_without_empty_members(content))).hexdigest()}"


def check_digest(edition: Mapping[str, Any]) -> None:
    """Raise `NotGenuine` unless the field `digest` of the edition is the digest of its content.

    A rendition has no content of that digest, so it raises `NotGenuine` too.
    """
    try:
        found = digest_of(edition)
    except KeyError:
        raise NotGenuine("This is not a whole edition.") from None
    if found != edition.get("digest"):
        raise NotGenuine("The words do not have the edition's digest.")


def submission_digest(submission: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the submitted fields. A signed receipt contains this digest."""
    return hashlib.sha256(canonical_json(submission)).hexdigest()


def _without_empty_members(value: Any) -> Any:
    if isinstance(value, dict):
        pruned = {name: _without_empty_members(member) for name, member in value.items()}
        return {name: member for name, member in pruned.items() if member not in (None, [], {})}
    return [_without_empty_members(member) for member in value] if isinstance(value, list) else value
