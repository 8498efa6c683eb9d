"""An entry of the directory, as an Open Referral UK service: with its ids, location, contact and attributes.

Every id is a version 5 UUID, in the namespace `DIRECTORY`, of a name made of slugs, for example
`service/E06000022/child-sexual-exploitation/duty-and-assessment-team`: kind, the publisher's GSS code (so that no two
councils share an id), guide, contact. A signpost's name is `service/signposts/childline`, for example. No name has the
number of an edition, so an id is the same from edition to edition.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from app.models.guidance.contact_details import OpeningHours, PostalAddress
from app.models.guidance.contacts import Phone
from app.models.open_referral import components
from app.models.open_referral.directory import Service, ServiceLocation
from app.models.open_referral.places import PhysicalLocation, PlaceAddress

DIRECTORY = uuid.UUID("b179ab2a-a354-400a-8ebe-37a328ea0421")
URI_CHARACTERS = ":/?#[]@!$&'()*+,;=%~"
ENDS = (".", "!", "?")

NameInIds = tuple[str, ...]
TermLinks = tuple[tuple[Literal["subject", "linked_risk"], components.TaxonomyTerm], ...]


@dataclass(frozen=True)
class Entry:
    """The data of one service: `name` is its name in every id, and `owner` is that of its organization."""

    name: NameInIds
    owner: NameInIds
    title: str
    organization: components.Organization
    words: tuple[str | None, ...]
    phones: tuple[Phone, ...]
    url: str | None
    verified_on: dt.date | None
    email: str | None = None
    address: PostalAddress | None = None
    opening_hours: tuple[OpeningHours, ...] = ()
    links: TermLinks = ()
    last_modified: dt.datetime | None = None


def id_of(kind: str, *name: str) -> uuid.UUID:
    """Return the id for that name."""
    return uuid.uuid5(DIRECTORY, "/".join((kind, *name)))


def service_of(entry: Entry) -> Service:
    """Return the entry as a service."""
    service = id_of("service", *entry.name)
    words = [*filter(None, entry.words), _checked(entry.verified_on)]
    return Service(
        id=service,
        organization_id=entry.organization.id,
        name=entry.title,
        description=" ".join(each if each.endswith(ENDS) else f"{each}." for each in words),
        url=quote(entry.url, safe=URI_CHARACTERS) if entry.url else None,
        status="active",
        assured_date=entry.verified_on,
        last_modified=entry.last_modified,
        organization=entry.organization,
        service_at_locations=_locations(entry, service),
        contacts=_contacts(entry, service),
        attributes=_attributes(entry, service),
        schedules=_schedules(entry, service),
    )


def _checked(verified_on: dt.date | None) -> str:
    if verified_on is None:
        return "Nobody has checked these details yet"
    return f"A person checked these details on {verified_on}"


def _locations(entry: Entry, service: uuid.UUID) -> tuple[ServiceLocation, ...]:
    """Return where the service is reached: by telephone or online, at its address, or both ways."""
    if entry.address is None:
        return (_virtual_location(entry, service),)
    place = _place(entry, service, entry.address)
    return (_virtual_location(entry, service), place) if entry.phones or entry.email or entry.url else (place,)


def _place(entry: Entry, service: uuid.UUID, address: PostalAddress) -> ServiceLocation:
    place = id_of("place", *entry.name)
    location = PhysicalLocation(
        id=place,
        location_type="physical",
        name=entry.title,
        description="A place to visit or to write to.",
        addresses=(
            PlaceAddress(
                id=id_of("address", *entry.name),
                location_id=place,
                address_1=", ".join(address.lines),
                city=address.town,
                state_province=address.town,
                postal_code=address.postcode,
                country="GB",
                address_type="physical",
            ),
        ),
    )
    return ServiceLocation(
        id=id_of("service-at-place", *entry.name), service_id=service, location_id=place, location=location
    )


def _virtual_location(entry: Entry, service: uuid.UUID) -> ServiceLocation:
    location = components.VirtualLocation(
        id=id_of("location", *entry.owner),
        location_type="virtual",
        name=f"{entry.organization.name}, by telephone or online",
        description="Reached by telephone or online; no address is given to visit.",
    )
    return ServiceLocation(
        id=id_of("service-at-location", *entry.name), service_id=service, location_id=location.id, location=location
    )


def _contacts(entry: Entry, service: uuid.UUID) -> tuple[components.ServiceContact, ...] | None:
    if not entry.phones and not entry.email:
        return None
    contact = id_of("contact", *entry.name)
    phones = tuple(
        components.ServicePhone(
            id=id_of("phone", *entry.name, phone.number, phone.option or ""),
            contact_id=contact,
            number=phone.number,
            description=f"Option {phone.option}" if phone.option else None,
        )
        for phone in entry.phones
    )
    return (
        components.ServiceContact(id=contact, service_id=service, name=entry.title, email=entry.email, phones=phones),
    )


def _schedules(entry: Entry, service: uuid.UUID) -> tuple[components.Schedule, ...] | None:
    schedules = tuple(
        components.Schedule(
            id=id_of("schedule", *entry.name, each.opens, each.closes, *each.days),
            service_id=service,
            byday=",".join(day.value[:2].upper() for day in each.days),
            opens_at=each.opens,
            closes_at=each.closes,
        )
        for each in entry.opening_hours
    )
    return schedules or None


def _attributes(entry: Entry, service: uuid.UUID) -> tuple[components.Attribute, ...] | None:
    attributes = tuple(
        components.Attribute(
            id=id_of("attribute", *entry.name, str(term.id)),
            link_id=service,
            link_type=link_type,
            taxonomy_term_id=term.id,
            taxonomy_term=term,
        )
        for link_type, term in entry.links
    )
    return attributes or None
