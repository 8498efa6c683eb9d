"""A short rendition of the shipped guide, for the documentation and for tests."""

from typing import Any

from app.models.guidance.guide_responses import DIGEST

RENDITION_EXAMPLE: dict[str, Any] = {
    "language": "pl",
    "form": "translation",
    "of": {"edition": 1, "digest": DIGEST},
    "made_by": "human",
    "checked_by": "Example Translation Team",
    "checked_on": "2026-11-24",
    "indicators": [
        {"id": "secrecy", "text": "Tajemniczość co do miejsca pobytu, znajomych, ważnych relacji i nowych rzeczy"}
    ],
}
