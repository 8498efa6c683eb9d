"""Pictures of renditions: what is drawn from an upload, what is refused, and what the database keeps."""

import base64
import io
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from PIL import Image
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.database import for_writing
from app.errors import InvalidRendition
from app.extensions.editing.services import picture_child
from app.extensions.editing.services.picture_child import (
    DAMAGED,
    MAX_PICTURE_BYTES,
    MAX_SIDE,
    MOVES,
    NOT_A_PICTURE,
    TOO_MANY_PIXELS,
)
from app.extensions.editing.services.uploads import DocumentRefused, read_uploaded_picture
from app.models.base import digest_of
from app.models.guides.renditions import RenditionContent
from app.services.guides.pictures import size_of_picture
from tests.support.people import context_of_service
from tests.support.pictures import (
    SIMPLE,
    drawing,
    file_of,
    noise,
    picture_of,
    publish_pictured,
    store,
    stored_jpeg,
)
from tests.support.renditions import a_rendition, publish_a_rendition

GPS, ORIENTATION, TURNED = 0x8825, 0x0112, 6
PLACE, REMARK, TAIL = b"51 30 26", b"A remark of the camera", b"PK\x03\x04<script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def read(data: bytes) -> bytes:
    """Return the picture that is stored for the upload `data`."""
    found = json.loads(picture_child.read("", data))
    assert "refused" not in found, found
    return base64.b64decode(found["jpeg"])


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_that_says(width: int, height: int, *more: bytes) -> bytes:
    """Return a PNG file whose header claims that size, with a few bytes of pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(more) + pixels + chunk(b"IEND", b"")


def moving(form: str) -> bytes:
    return file_of(drawing(), form, save_all=True, append_images=[drawing(colour="red")])


GOOD: dict[str, Callable[[], bytes]] = {
    "a drawing that one can see through": lambda: file_of(drawing(mode="RGBA", colour=(0, 0, 0, 0))),
    "a drawing of few colours": lambda: file_of(drawing().quantize(8), transparency=0),
    "black and white": lambda: file_of(drawing(mode="1", colour=1)),
    "deep grey": lambda: file_of(drawing(mode="I;16", colour=60_000)),
    "for printers": lambda: file_of(drawing(mode="CMYK", colour=(0, 0, 0, 0)), "JPEG"),
    "webp": lambda: file_of(drawing(), "WEBP"),
    "a photo of two lenses": lambda: file_of(drawing(), "MPO", save_all=True, append_images=[drawing()]),
    "very wide": lambda: file_of(drawing(16_000, 10)),
    "noise": lambda: file_of(noise(900, 700)),
    "a photo of many pixels": lambda: file_of(Image.new("L", (5000, 4000), "white"), "JPEG"),
}
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (bytes, NOT_A_PICTURE),
    "svg": (lambda: SVG, NOT_A_PICTURE),
    "gif": (lambda: file_of(drawing(), "GIF"), NOT_A_PICTURE),
    "a page": (lambda: b"<!doctype html><script>alert(1)</script>", NOT_A_PICTURE),
    "a moving png": (lambda: moving("PNG"), MOVES),
    "a moving webp": (lambda: moving("WEBP"), MOVES),
    "too many pixels": (lambda: file_of(Image.new("1", (5000, 4000))), TOO_MANY_PIXELS),
    "a bomb": (lambda: png_that_says(100_000, 100_000), TOO_MANY_PIXELS),
    "a bomb of words": (
        lambda: png_that_says(8, 8, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(80_000_000)))),
        DAMAGED,
    ),
    "half a png": (lambda: file_of(noise(300, 300))[:99_000], DAMAGED),
    "half a jpeg": (lambda: file_of(noise(300, 300), "JPEG")[:9_000], DAMAGED),
    "too few pixels": (lambda: png_that_says(400, 400), DAMAGED),
}


@pytest.mark.any_database
@pytest.mark.parametrize("name", GOOD)
def test_a_picture_of_any_kind_becomes_a_small_jpeg(name: str) -> None:
    jpeg = read(GOOD[name]())

    with Image.open(io.BytesIO(jpeg)) as stored:
        assert (stored.format, stored.mode) == ("JPEG", "RGB")
        assert size_of_picture(jpeg) == stored.size
        assert max(stored.size) <= MAX_SIDE
        corner = stored.getpixel((stored.width - 1, 0))
    assert len(jpeg) <= MAX_PICTURE_BYTES
    assert name == "noise" or min(corner) > 230, "its ground is white"  # type: ignore[arg-type]


@pytest.mark.any_database
def test_only_the_pixels_of_a_picture_are_kept() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    exif.get_ifd(GPS)[1] = PLACE.decode()
    photo = file_of(drawing(400, 200), "JPEG", exif=exif, comment=REMARK, icc_profile=b"a profile" * 20) + TAIL
    assert all(each in photo for each in (PLACE, REMARK, TAIL, b"a profile"))

    jpeg = read(photo)

    assert not any(each in jpeg for each in (PLACE, REMARK, TAIL, b"a profile", b"Exif"))
    assert size_of_picture(jpeg) == (200, 400), "it stands upright"


@pytest.mark.any_database
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_picture_is_refused_in_a_sentence(name: str) -> None:
    make, sentence = HOSTILE[name]

    assert json.loads(picture_child.read("", make())) == {"refused": sentence}


@pytest.mark.any_database
@pytest.mark.slow
def test_a_child_process_reads_a_picture_within_limits() -> None:
    largest = file_of(Image.new("RGB", (4000, 4000)), "WEBP", method=0, quality=10)

    assert size_of_picture(read_uploaded_picture(file_of(drawing()))) == (320, 240)
    with pytest.raises(DocumentRefused, match=DAMAGED):
        read_uploaded_picture(largest)


def rejected(service: FastAPI, **changes: Any) -> set[tuple[str, ...]]:
    """Return the places of the errors for which a rendition with a picture is refused."""
    jpeg = stored_jpeg()
    store(service, jpeg)
    given = {"language": SIMPLE, "form": "easy_read", "pictures": [picture_of(jpeg)]} | changes
    try:
        publish_a_rendition(service, **given)
    except InvalidRendition as refusal:
        return {tuple(map(str, fault.at)) for fault in refusal.faults}
    except ValidationError as refusal:
        return {tuple(map(str, fault["loc"])) for fault in refusal.errors()}
    return set()


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"digest": "sha256:" + "0" * 64}, "digest"),
        ({"alt": ""}, "alt"),
        ({"width": 65}, "width"),
        ({"item": "indicators/no-such-sign"}, "item"),
        ({"item": "cautions/absence-of-indicators"}, "item"),
    ],
)
def test_a_picture_without_bytes_words_or_item_is_not_published(
    service: FastAPI, changes: dict[str, Any], place: str
) -> None:
    assert rejected(service, pictures=[picture_of(stored_jpeg()) | changes]) == {("pictures", "0", place)}


@pytest.mark.any_database
@pytest.mark.usefixtures("client")
def test_an_item_has_one_picture_and_only_in_simple_words(service: FastAPI) -> None:
    twice = [picture_of(stored_jpeg())] * 2

    assert rejected(service, pictures=twice) == {("pictures", "1", "item")}
    assert rejected(service, language="pl", form="translation") == {("pictures",)}


@pytest.mark.any_database
def test_the_digest_covers_picture_and_description_and_is_unchanged_without_any() -> None:
    picture = picture_of(stored_jpeg())
    base = a_rendition(language=SIMPLE, form="easy_read")

    def digest(**changes: Any) -> str:
        return digest_of(RenditionContent.model_validate(base | changes))

    assert digest(pictures=[]) == digest()
    assert len({digest(), digest(pictures=[picture]), digest(pictures=[picture | {"alt": "Other words."}])}) == 3


def refusal_of(service: FastAPI, statement: str, digest: str) -> str:
    try:
        with for_writing(context_of_service(service).engine).begin() as connection:
            connection.execute(text(f"{statement} WHERE digest = :digest"), {"digest": digest})
    except DBAPIError as refusal:
        return str(refusal)
    return ""


@pytest.mark.usefixtures("client")
def test_the_database_keeps_each_published_picture_as_it_is(service: FastAPI) -> None:
    published, unused = stored_jpeg("red"), stored_jpeg("blue")
    store(service, unused)
    publish_pictured(service, published)
    digest, other = picture_of(published)["digest"], picture_of(unused)["digest"]

    assert "a picture never changes" in refusal_of(service, "UPDATE pictures SET data = data", other)
    assert "is never deleted" in refusal_of(service, "DELETE FROM pictures", digest)
    assert refusal_of(service, "DELETE FROM pictures", other) == ""
