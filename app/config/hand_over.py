"""Settings of handing concerns over to other bodies."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import pyrage
from pydantic import BaseModel, BeforeValidator, Field

SENTENCE = 'must be a JSON object such as {"Example Council": "age1..."}, with each body and each recipient once'
MAX_BODY_LENGTH = 300


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)


def _parse_bodies(value: Any) -> Any:
    """Parse the JSON object. Every recipient must be one that a file can be sealed to."""
    if not isinstance(value, str):
        return value
    try:
        bodies = json.loads(value, object_pairs_hook=_without_repetition)
        if not isinstance(bodies, dict) or not bodies or len(set(bodies.values())) != len(bodies):
            raise ValueError
        for body, recipient in bodies.items():
            pyrage.x25519.Recipient.from_str(recipient)
            if not body.isprintable() or body != body.strip() or not 0 < len(body) <= MAX_BODY_LENGTH:
                raise ValueError
    except (ValueError, TypeError, RecursionError, pyrage.RecipientError):
        raise ValueError(SENTENCE) from None
    return bodies


class HandOverSettings(BaseModel):
    """A part of the settings."""

    hand_over_bodies: Annotated[Mapping[str, str] | None, BeforeValidator(_parse_bodies)] = Field(
        default=None,
        description="Bodies that the desk's pages offer for a hand-over, each with its age recipient, as a JSON "
        'object: {"Example Council": "age1..."}. Compare each key with its body by telephone. Unset: none.',
    )
