"""The reader of an uploaded picture. It runs in a child process with limits: see `child_limits`.

It draws the pixels into a new picture, so that nothing else of the file is left: no location of a photo, no thumbnail,
no script.
"""

import base64
import io
import json

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP")
"""Found from the bytes, not from the file's name."""
MAX_PIXELS = {"JPEG": 50_000_000, "MPO": 50_000_000}
"""Limits for cameras' formats, decoded at a reduced size. Others have `MAX_OTHER_PIXELS`."""
MAX_OTHER_PIXELS = 16_000_000
MAX_SIDE = 640
"""Pixels: enough for pages and prints."""
MAX_PICTURE_BYTES = 300_000
QUALITIES = (90, 75, 50)
"""Qualities of the JPEG, of which the first that fits into `MAX_PICTURE_BYTES` is used."""
READ_AS_IT_IS = ("L", "LA", "RGB", "RGBA")
"""Formats that Pillow can make smaller. Others are converted first."""
NOT_A_PICTURE = "This file cannot be used. Choose a PNG, JPEG or WebP picture"
MOVES = "This picture moves. Choose one that stands still"
TOO_MANY_PIXELS = "This picture has too many pixels. Make it at most 4,000 pixels wide and high"
DAMAGED = "This picture is damaged or too complicated. Save it again as PNG or JPEG, and try that"


def read(_name: str, data: bytes) -> str:
    """Return the picture to store, drawn from the file `data`, or the reason for a refusal, as JSON.

    The picture is a JPEG, in base64.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS.get(picture.format or "", MAX_OTHER_PIXELS):
                return _refusal(TOO_MANY_PIXELS)
            if getattr(picture, "is_animated", False) and picture.format != "MPO":  # MPO hides further images
                return _refusal(MOVES)
            drawn = _draw(picture)
    except UnidentifiedImageError:
        return _refusal(NOT_A_PICTURE)
    except Image.DecompressionBombError:
        return _refusal(TOO_MANY_PIXELS)
    except Exception:  # a decoder raises many kinds of errors for a damaged picture
        return _refusal(DAMAGED)
    jpegs = (_encode(drawn, quality) for quality in QUALITIES)
    jpeg = next((each for each in jpegs if len(each) <= MAX_PICTURE_BYTES), None)
    return _refusal(DAMAGED) if jpeg is None else json.dumps({"jpeg": base64.b64encode(jpeg).decode()})


def _refusal(reason: str) -> str:
    return json.dumps({"refused": reason})


def _draw(picture: Image.Image) -> Image.Image:
    """Upright, on white, at most `MAX_SIDE`."""
    if picture.mode not in READ_AS_IT_IS or "transparency" in picture.info:
        picture = picture.convert("RGB" if picture.mode in ("CMYK", "YCbCr", "LAB", "HSV") else "RGBA")
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    drawn = Image.new("RGB", upright.size, "white")
    drawn.paste(upright, mask=upright.getchannel("A"))
    return drawn


def _encode(picture: Image.Image, quality: int) -> bytes:
    made = io.BytesIO()
    picture.save(made, "JPEG", quality=quality, subsampling=0)
    return made.getvalue()
