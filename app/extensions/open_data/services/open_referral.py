"""The directory: the contacts of every current edition, and the signposts, as Open Referral UK services.

The same editions and signposts always give the same directory. Every id is a version 5 UUID, in the namespace
`DIRECTORY`, of a name such as `service/E06000022/child-sexual-exploitation/duty-and-assessment-team`: kind, GSS code of
the publisher, guide and contact. No edition number is in it, so ids stay the same; the GSS code keeps councils apart.
All councils share the id of a signpost (`service/signposts/childline`).
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from sqlmodel import Session

from app.errors import NotFound
from app.extensions.open_data.models.open_referral import (
    Attribute,
    ListedServiceAtLocation,
    OmitsEmpty,
    Organization,
    OrganizationIdentifier,
    Page,
    PhysicalLocation,
    PlaceAddress,
    Schedule,
    Service,
    ServiceAtLocation,
    ServiceContact,
    ServiceLocation,
    ServicePhone,
    Taxonomy,
    TaxonomyTerm,
    VirtualLocation,
)
from app.models.guides.contacts import Contact, ContactKind, Phone, PostalAddress
from app.models.guides.items import LinkedRisk
from app.models.guides.proposed_ids import propose_id
from app.models.guides.sections import Section
from app.models.guides.signposts import Signpost, WhoToCall
from app.models.links import GUIDES
from app.services.clock.teams import DutyHours, Teams
from app.services.guides.editions import CurrentEdition, list_sections
from app.services.guides.presenters import address_text

DIRECTORY = uuid.UUID("b179ab2a-a354-400a-8ebe-37a328ea0421")
URI_CHARACTERS = ":/?#[]@!$&'()*+,;=%~"
ENDS = (".", "!", "?")
CALL_999 = "In immediate danger call 999"
DirectoryObject = Service | Taxonomy | TaxonomyTerm | ServiceAtLocation
NameInIds = tuple[str, ...]
TermLinks = tuple[tuple[Literal["subject", "linked_risk"], TaxonomyTerm], ...]


@dataclass(frozen=True)
class Entry:
    """An entry of the directory. `of` is the contact, or a signpost as one.

    `name` is its name in ids, `owner` the organization's. `words` are sentences, none empty. `links` are taxonomy terms
    with the kind of the link.
    """

    of: Contact
    name: NameInIds
    owner: NameInIds
    organization: Organization
    words: tuple[str | None, ...]
    url: str | None
    verified_on: dt.date | None
    links: TermLinks = ()
    last_modified: dt.datetime | None = None


def _id_of(kind: str, *name: str) -> uuid.UUID:
    """Return an id that is always the same for the same name."""
    return uuid.uuid5(DIRECTORY, "/".join((kind, *name)))


def _service_of(entry: Entry) -> Service:
    service = _id_of("service", *entry.name)
    on = entry.verified_on
    checked = f"A person checked these details on {on}" if on else "Nobody has checked these details yet"
    words = [*filter(None, entry.words), checked]
    return Service(
        id=service,
        organization_id=entry.organization.id,
        name=entry.of.name,
        description=" ".join(each if each.endswith(ENDS) else f"{each}." for each in words),
        url=quote(entry.url, safe=URI_CHARACTERS) if entry.url else None,
        status="active",
        assured_date=entry.verified_on,
        last_modified=entry.last_modified,
        organization=entry.organization,
        service_at_locations=tuple(_locations(entry, service)),
        contacts=_contacts(entry, service),
        attributes=tuple(
            Attribute(
                id=_id_of("attribute", *entry.name, str(term.id)),
                link_id=service,
                link_type=link_type,
                taxonomy_term_id=term.id,
                taxonomy_term=term,
            )
            for link_type, term in entry.links
        )
        or None,
        schedules=tuple(
            Schedule(
                id=_id_of("schedule", *entry.name, each.opens, each.closes, *each.days),
                service_id=service,
                byday=",".join(day.value[:2].upper() for day in each.days),
                opens_at=each.opens,
                closes_at=each.closes,
            )
            for each in entry.of.opening_hours
        )
        or None,
    )


def _locations(entry: Entry, service: uuid.UUID) -> Iterator[ServiceLocation]:
    """Virtual (by phone or online), the postal address, or both."""
    if entry.of.address is None or entry.of.phones or entry.of.email or entry.url:
        virtual = VirtualLocation(
            id=_id_of("location", *entry.owner),
            location_type="virtual",
            name=f"{entry.organization.name}, by telephone or online",
            description="Reached by telephone or online; no address is given to visit.",
        )
        link = _id_of("service-at-location", *entry.name)
        yield ServiceLocation(id=link, service_id=service, location_id=virtual.id, location=virtual)
    if entry.of.address is not None:
        place = _place(entry, entry.of.address)
        link = _id_of("service-at-place", *entry.name)
        yield ServiceLocation(id=link, service_id=service, location_id=place.id, location=place)


def _place(entry: Entry, address: PostalAddress) -> PhysicalLocation:
    place = _id_of("place", *entry.name)
    written = PlaceAddress(
        id=_id_of("address", *entry.name),
        location_id=place,
        address_1=", ".join(address.lines),
        city=address.town,
        state_province=address.town,
        postal_code=address.postcode,
        country="GB",
        address_type="physical",
    )
    return PhysicalLocation(
        id=place,
        location_type="physical",
        name=entry.of.name,
        description="A place to visit or write to.",
        addresses=(written,),
    )


def _contacts(entry: Entry, service: uuid.UUID) -> tuple[ServiceContact, ...] | None:
    if not entry.of.phones and not entry.of.email:
        return None
    contact = _id_of("contact", *entry.name)
    phones = tuple(
        ServicePhone(
            id=_id_of("phone", *entry.name, phone.number, phone.option or ""),
            contact_id=contact,
            number=phone.number,
            description=f"Option {phone.option}" if phone.option else None,
        )
        for phone in entry.of.phones
    )
    return (ServiceContact(id=contact, service_id=service, name=entry.of.name, email=entry.of.email, phones=phones),)


@dataclass(frozen=True)
class Directory:
    services: tuple[Service, ...]
    taxonomy: Taxonomy
    terms: tuple[TaxonomyTerm, ...]


@dataclass(frozen=True)
class Guide:
    head: CurrentEdition
    contacts: tuple[Contact, ...]
    linked_risks: tuple[LinkedRisk, ...]

    @property
    def publisher(self) -> str:
        """A council's GSS code, a school's URN, otherwise a slug of the name."""
        publisher = self.head.details.publisher
        return publisher.gss_code or publisher.urn or propose_id(publisher.name)


def read_directory(session: Session, signposts: Sequence[Signpost], hours: DutyHours, *, public_url: str) -> Directory:
    """Contacts by guide, then the signposts as given."""
    guides = [Guide(*found) for found in list_sections(session, Section.CONTACTS, Section.LINKED_RISKS)]
    taxonomy = Taxonomy(
        id=_id_of("taxonomy", "harms"),
        name="Harms to children",
        description="The subjects of the guides, and the risks that they say are often linked to them.",
    )
    terms = _terms(guides, taxonomy, public_url)
    entries: list[Entry] = []
    for guide in guides:
        teams = hours.published(WhoToCall(guide.contacts, tuple(signposts)))
        entries += _entries_of(guide, _publisher(guide, guides), terms, teams)
    entries += [_entry_of(signpost) for signpost in signposts]
    return Directory(tuple(_service_of(entry) for entry in entries), taxonomy, tuple(terms.values()))


def _terms(guides: Sequence[Guide], taxonomy: Taxonomy, public_url: str) -> dict[str, TaxonomyTerm]:
    """Return the terms by slug, as their first guide describes them. A subject takes precedence over a linked risk."""
    terms: dict[str, TaxonomyTerm] = {}

    def add(slug: str, name: str, description: str, path: str) -> None:
        term = TaxonomyTerm(
            id=_id_of("term", slug),
            name=name,
            description=description,
            taxonomy=taxonomy.name,
            taxonomy_id=taxonomy.id,
            term_uri=f"{public_url}{GUIDES}/{path}",
        )
        terms.setdefault(slug, term)

    for guide in guides:
        slug = guide.head.guide
        add(slug, slug.replace("-", " ").capitalize(), f"The subject of {guide.head.title}.", slug)
    for guide in guides:
        described = f"Named in {guide.head.title} as often linked to its subject."
        for risk in guide.linked_risks:
            add(risk.id, risk.text, described, f"{guide.head.guide}/linked-risks/{risk.id}")
    return terms


def _publisher(guide: Guide, guides: Sequence[Guide]) -> Organization:
    """Name the publisher as its first guide does. The description lists all guides."""
    published = [each for each in guides if each.publisher == guide.publisher]
    organization = _id_of("organization", guide.publisher)
    of = guide.head.details.publisher
    code = OrganizationIdentifier(
        id=_id_of("identifier", guide.publisher),
        organization_id=organization,
        identifier_type="Government Statistical Service code" if of.gss_code else "Unique reference number (URN)",
        identifier=guide.publisher,
    )
    return Organization(
        id=organization,
        name=published[0].head.details.publisher.name,
        description=f"Publisher of {'; '.join(each.head.title for each in published)}.",
        organization_identifiers=(code,) if of.gss_code or of.urn else None,
    )


def _entries_of(guide: Guide, publisher: Organization, terms: dict[str, TaxonomyTerm], teams: Teams) -> Iterator[Entry]:
    links: TermLinks = (
        ("subject", terms[guide.head.guide]),
        *(("linked_risk", terms[risk.id]) for risk in guide.linked_risks),
    )
    for contact, page in _with_pages(guide.contacts):
        duty = teams.first if teams.first and teams.first.contact is contact else None
        otherwise = teams.until_then if duty else ()
        yield Entry(
            contact.model_copy(update={"opening_hours": duty.opening_hours}) if duty else contact,
            name=(guide.publisher, guide.head.guide, contact.id),
            owner=(guide.publisher,),
            organization=publisher,
            words=(
                f"{contact.name}, named in {guide.head.title}, edition {guide.head.number}",
                contact.when,
                _numbers(contact.phones),
                f"Open: {duty.hours}" if duty and duty.hours else None,
                *(f"When it is closed: {each.name}. {_numbers(each.phones)}" for each in otherwise),
                f"The web address leads to: {page.name}" if page else None,
                page.when if page else None,
                *_other_ways(contact),
                CALL_999,
            ),
            url=page.url if page else contact.url,
            verified_on=_checked_on(contact, page or contact),
            links=links,
            last_modified=guide.head.published_at,
        )


def _with_pages(contacts: Sequence[Contact]) -> Iterator[tuple[Contact, Contact | None]]:
    """Yield each contact with the web contact merged into it, if any: a service can have a number and one address.

    The first web contact without a phone is merged into the first phone contact without a page.
    """
    telephone = next((each for each in contacts if each.kind is ContactKind.TELEPHONE and each.url is None), None)
    page = next((each for each in contacts if telephone and each.kind is ContactKind.WEB and not each.phones), None)
    return ((each, page if each is telephone else None) for each in contacts if each is not page)


def _checked_on(*contacts: Contact) -> dt.date | None:
    """Return None if any contact was never checked."""
    days = [contact.verified_on for contact in contacts]
    return None if None in days else min(filter(None, days))


def _entry_of(signpost: Signpost) -> Entry:
    name = ("signposts", signpost.id)
    own = {
        field: getattr(signpost, field)
        for field in ("id", "name", "kind", "phones", "url", "opening_hours", "verified_on")
    }
    return Entry(
        Contact(position=1, **own),
        name=name,
        owner=name,
        organization=Organization(
            id=_id_of("organization", *name), name=signpost.name, description=signpost.description
        ),
        words=(
            signpost.description,
            f"For: {signpost.audience}" if signpost.audience else None,
            signpost.when,
            _numbers(signpost.phones),
            f"Source: {signpost.source}",
            None if signpost.emergency else CALL_999,
        ),
        url=signpost.url,
        verified_on=signpost.verified_on,
    )


def _other_ways(contact: Contact) -> Iterator[str]:
    """Yield text for the description: the profile lacks fields for some ways, and programs do not show all."""
    if contact.email:
        yield f"Email: {contact.email}"
    if contact.text_relay:
        yield f"Text relay: {contact.text_relay}"
    if contact.address:
        yield f"Address: {address_text(contact.address)}"


def _numbers(phones: Sequence[Phone]) -> str | None:
    """Return the numbers as printed and, if different, as dialled."""
    numbers = [
        phone.display
        + (f", option {phone.option}" if phone.option else "")
        + (f" ({phone.number})" if phone.number != phone.display else "")
        for phone in phones
    ]
    return f"Telephone: {'; '.join(numbers)}" if numbers else None


def has_words(service: Service, words: Sequence[str]) -> bool:
    """Return True if an entry has all `words`, which are in lower case."""
    text = f"{service.name} {service.description} {service.organization.name}".casefold()
    return all(word in text for word in words)


def has_term(service: Service, taxonomy: str, term: str) -> bool:
    """Return True if an entry has the term. An empty id matches every service."""
    terms = [attribute.taxonomy_term for attribute in service.attributes or ()]
    return (not taxonomy or taxonomy in {str(each.taxonomy_id) for each in terms}) and (
        not term or term in {str(each.id) for each in terms}
    )


def at_locations(services: Iterable[Service]) -> list[ServiceAtLocation]:
    """Include all other details of the service."""
    return [
        ServiceAtLocation(
            **dict(link),
            organization_id=service.organization_id,
            name=service.name,
            status=service.status,
            service=service.model_copy(update={"service_at_locations": None}),
        )
        for service in services
        for link in service.service_at_locations or ()
    ]


def listed_at_locations(services: Iterable[Service]) -> list[ListedServiceAtLocation]:
    return [
        ListedServiceAtLocation(**dict(link), service=service)
        for service in services
        for link in service.service_at_locations or ()
    ]


def get_by_id(objects: Iterable[DirectoryObject], id_: uuid.UUID) -> DirectoryObject:
    """Return the object with this id. Raise `NotFound`."""
    found = next((each for each in objects if each.id == id_), None)
    if found is None:
        raise NotFound
    return found


def paginate(page_type: type[Page], entries: Sequence[OmitsEmpty], page: int, per_page: int) -> Page:
    """Return a page. Pages count from 1, and one after the last is empty."""
    contents = entries[(page - 1) * per_page : page * per_page]
    pages = -(-len(entries) // per_page)
    return page_type.model_validate(
        {
            "total_items": len(entries),
            "total_pages": pages,
            "page_number": page,
            "size": len(contents),
            "first_page": page == 1,
            "last_page": page >= pages,
            "empty": not contents,
            "contents": contents,
        }
    )
