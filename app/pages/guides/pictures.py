"""Pictures of renditions, as files."""

from typing import Annotated

from fastapi import Path, Request, Response

from app.errors import NotFound
from app.http.auth import PUBLIC
from app.http.context import SessionDep
from app.http.params import RenditionKeyDep
from app.http.responses import CACHE_IMMUTABLE, conditional_response
from app.pages.error_pages import PageRouter
from app.services.guides.editions import get_history, list_renditions
from app.services.guides.pictures import MEDIA_TYPE, read_picture
from app.services.guides.renditions import chosen_rendition

router = PageRouter(dependencies=[PUBLIC])
PictureName = Annotated[str, Path(pattern="^[0-9a-f]{64}$", max_length=64)]


@router.get("/guides/{guide}/renditions/{language}/{number}/pictures/{picture}.jpg")
def read_published_picture(
    request: Request, session: SessionDep, rendition: RenditionKeyDep, picture: PictureName
) -> Response:
    """By SHA-256. Raise `NoSuchGuide`, `NoSuchRendition`, `RenditionWithdrawn` or `NotFound`."""
    history = get_history(session, guide=rendition.guide)
    stored = list_renditions(session, guide=rendition.guide, language=rendition.language)
    found = chosen_rendition(history, stored, rendition.language, rendition.number)
    digest = f"sha256:{picture}"
    if digest not in {each.digest for each in found.content.pictures}:
        raise NotFound
    data = read_picture(session, digest)
    return conditional_response(request, data, media_type=MEDIA_TYPE, links={}, caching=CACHE_IMMUTABLE)
