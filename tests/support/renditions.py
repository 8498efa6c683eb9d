"""Renditions of the first guide, and functions that publish them through the service function that everybody uses."""

import itertools
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from fastapi import FastAPI

from app.config import SEED_DIR
from app.http.context import AppContext
from app.models.guides.edition_files import read_rendition_file
from app.models.guides.edition_keys import RenditionKey
from app.models.guides.renditions import RenditionContent, word_fields
from app.models.guides.sections import ITEM_LISTS, Introductions
from app.services.guides.publishing import PublishedRendition, publish_rendition, withdraw_published
from tests.support.publishing import GUIDE, SLUG, an_edition

RENDITIONS = f"{GUIDE}/renditions"
ARABIC = {
    "language": "ar",
    "indicators": [{"id": "secrecy", "text": "نص مخترع للاختبار"}],
    "cautions": [{"id": "absence-of-indicators", "text": "تنبيه مخترع"}],
}
"""Invented words in a language that is written from right to left."""

URDU = "نمونے کے الفاظ جو صرف جانچ کے لیے لکھے گئے ہیں"
"""Invented words in another language that is written from right to left."""

_read = lru_cache(read_rendition_file)


def seed_rendition(language: str) -> RenditionContent:
    """Return the shipped rendition in that language."""
    return _read(SEED_DIR / "renditions" / SLUG / f"{language}.yaml").content


def a_rendition(**changes: Any) -> dict[str, Any]:
    """Return a translation of edition 1 into Polish of a few words, made and checked by people, with those changes."""
    return {
        "language": "pl",
        "form": "translation",
        "of": seed_rendition("cy").of.model_dump(),
        "made_by": "human",
        "checked_by": "Example Translation Team",
        "checked_on": "2026-11-24",
        "title": "Zmyślony tytuł",
        "cautions": [{"id": "absence-of-indicators", "text": "Zmyślona przestroga"}],
        "indicators": [{"id": "secrecy", "text": "Zmyślone słowa"}],
        "contacts": [{"id": "duty-and-assessment-team", "name": "Zmyślony zespół"}],
    } | changes


def a_whole_rendition(language: str, words: str) -> dict[str, Any]:
    """Return a rendition of edition 1 that has those words, with a number after them, for every text of the guide."""
    edition, count = an_edition(), itertools.count(1)

    def put(original: Any, fields: Iterable[str]) -> dict[str, str]:
        return {name: f"{words} {next(count)}" for name in fields if getattr(original, name) is not None}

    items: dict[str, Any] = {
        key: [{"id": each.id} | put(each, word_fields(entry.item)) for each in getattr(edition, key)]
        for key, entry in ITEM_LISTS.items()
    }
    for item, original in zip(items["definitions"], edition.definitions, strict=True):
        item["limbs"] = [{"label": limb.label} | put(limb, ("text",)) for limb in original.limbs]
    introductions = put(edition.introductions, Introductions.model_fields)
    return a_rendition(language=language, title=words, introductions=introductions, **items)


def publish_a_rendition(service: FastAPI, **changes: Any) -> PublishedRendition:
    """Publish that rendition."""
    context: AppContext = service.state.context
    content = RenditionContent.model_validate(a_rendition(**changes))
    return context.writer.run(publish_rendition, SLUG, content, at=context.clock(), two_people=False)


def withdraw_a_rendition(service: FastAPI, language: str, number: int, reason: str = "A word was wrong.") -> None:
    """Withdraw a rendition of the first guide."""
    context: AppContext = service.state.context
    context.writer.run(withdraw_published, RenditionKey(SLUG, language, number), reason=reason, at=context.clock())
