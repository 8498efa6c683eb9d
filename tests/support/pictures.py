"""Invented pictures, and renditions in simple words that have some."""

import io
import random
from typing import Any

from fastapi import FastAPI
from PIL import Image, ImageDraw

from app.extensions.editing.services.drafts import store_picture
from app.http.context import AppContext
from app.models.base import digest_of_bytes
from app.services.guides.pictures import size_of_picture
from app.services.guides.publishing import PublishedRendition
from tests.support.renditions import publish_a_rendition

SIMPLE = "en-GB-simple"
ITEM, ALT = "indicators/secrecy", "A girl hides her phone."


def drawing(width: int = 320, height: int = 240, mode: str = "RGB", colour: Any = "white") -> Image.Image:
    """Return a picture of that size with a cross on it."""
    picture = Image.new(mode, (width, height), colour)
    ImageDraw.Draw(picture).line((0, 0, width, height), width=9)
    return picture


def file_of(picture: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    made = io.BytesIO()
    picture.save(made, form, **options)
    return made.getvalue()


def noise(width: int, height: int) -> Image.Image:
    """Return the picture that compresses worst."""
    return Image.frombytes("RGB", (width, height), random.Random(1).randbytes(3 * width * height))  # noqa: S311


def stored_jpeg(colour: str = "white") -> bytes:
    """Return a picture as the service stores it."""
    return file_of(drawing(64, 48, colour=colour), "JPEG", subsampling=0)


def picture_of(jpeg: bytes, item: str = ITEM, **changes: Any) -> dict[str, Any]:
    """Return the entry of a rendition for the stored picture `jpeg`."""
    width, height = size_of_picture(jpeg) or (0, 0)
    return {"item": item, "digest": digest_of_bytes(jpeg), "alt": ALT, "width": width, "height": height} | changes


def store(service: FastAPI, jpeg: bytes) -> None:
    context: AppContext = service.state.context
    context.writer.run(store_picture, jpeg)


def publish_pictured(service: FastAPI, jpeg: bytes, **changes: Any) -> PublishedRendition:
    """Publish a rendition in simple words with the picture beside one indicator."""
    store(service, jpeg)
    given = {"language": SIMPLE, "form": "easy_read", "pictures": [picture_of(jpeg)]} | changes
    return publish_a_rendition(service, **given)
