"""What was just published or withdrawn, in responses."""

from app.models.guidance.publishing import PublishedResponse
from app.models.links import Links, edition_path, guide_path, history_path, rendition_path, renditions_path
from app.services.guidance.publishing import Published
from app.store.editions import EditionKey, RenditionKey


def present_published(published: Published) -> PublishedResponse:
    """Return the edition as it was published."""
    key = published.key
    return PublishedResponse(
        guide=key.guide,
        edition=key.number,
        digest=published.digest,
        published_at=published.published_at,
        links=links_of_act(key),
    )


def links_of_act(key: EditionKey | RenditionKey) -> Links:
    """Return the links of a response about the act on the edition or rendition."""
    guide = {"guide": guide_path(key.guide)}
    if isinstance(key, RenditionKey):
        return {"self": rendition_path(*key)} | guide | {"collection": renditions_path(key.guide)}
    return {"self": edition_path(*key)} | guide | {"version_history": history_path(key.guide)}
