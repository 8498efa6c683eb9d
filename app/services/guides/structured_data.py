"""An edition as JSON-LD (schema.org), for search engines."""

import json
from typing import Any

from app.models.base import format_utc
from app.models.guides.contacts import Contact
from app.models.guides.editions import EditionContent, Publisher, PublisherKind
from app.services.guides.editions import EditionHead

CONTEXT = "https://schema.org"
TYPES = {PublisherKind.COUNCIL: "GovernmentOrganization", PublisherKind.SCHOOL: "School"}


def structured_data(head: EditionHead, content: EditionContent, public_url: str) -> str:
    """Return JSON-LD without `<`, so that it is safe within a `script` element."""
    publisher = _organization(content.publisher)
    page = {
        "@context": CONTEXT,
        "@type": "WebPage",
        "@id": f"{public_url}/guides/{head.guide}",
        "name": content.title,
        "inLanguage": "en-GB",
        "version": str(head.number),
        "datePublished": format_utc(head.published_at),
        "publisher": publisher,
        "mainEntity": {
            "@type": "GovernmentService",
            "name": content.title,
            "provider": publisher,
            "availableChannel": [_channel(contact) for contact in content.contacts],
        },
    }
    return json.dumps(page, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _organization(publisher: Publisher) -> dict[str, Any]:
    identifier = publisher.gss_code or publisher.urn
    kind = TYPES.get(publisher.kind, "Organization") if publisher.kind else TYPES[PublisherKind.COUNCIL]
    return {"@type": kind, "name": publisher.name} | ({"identifier": identifier} if identifier else {})


def _channel(contact: Contact) -> dict[str, Any]:
    channel: dict[str, Any] = {"@type": "ServiceChannel", "name": contact.name}
    if contact.phones:
        channel["servicePhone"] = [{"@type": "ContactPoint", "telephone": phone.number} for phone in contact.phones]
    if contact.url is not None:
        channel["serviceUrl"] = contact.url
    if contact.address is not None:
        channel["servicePostalAddress"] = {
            "@type": "PostalAddress",
            "streetAddress": ", ".join(contact.address.lines),
            "addressLocality": contact.address.town,
            "postalCode": contact.address.postcode,
        }
    return channel
