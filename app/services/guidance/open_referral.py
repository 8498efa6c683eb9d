"""The directory: the contacts of every current edition, and the signposts, as Open Referral UK services.

The mapping is pure: the same editions and signposts give the same directory.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.models.guidance.contacts import Contact, ContactKind, Phone
from app.models.guidance.editions import EditionContent
from app.models.guidance.proposed_ids import propose_id
from app.models.guidance.signposts import Signpost
from app.models.links import GUIDES
from app.models.open_referral.components import Organization, OrganizationIdentifier, Taxonomy, TaxonomyTerm
from app.models.open_referral.directory import Service
from app.services.guidance.open_referral_entries import Entry, TermLinks, id_of, service_of
from app.store.editions import EditionHead

CALL_999 = "In immediate danger call 999"


@dataclass(frozen=True)
class Directory:
    """All services, and the taxonomy with its terms."""

    services: tuple[Service, ...]
    taxonomy: Taxonomy
    terms: tuple[TaxonomyTerm, ...]


@dataclass(frozen=True)
class Guide:
    """A guide with its current edition."""

    head: EditionHead
    content: EditionContent

    @property
    def publisher(self) -> str:
        """The publisher's code: of a council its GSS code, of a school its URN, else the words of its name."""
        publisher = self.content.publisher
        return publisher.gss_code or publisher.urn or propose_id(publisher.name)


def make_directory(guides: Sequence[Guide], signposts: Sequence[Signpost], *, public_url: str) -> Directory:
    """Return the directory: first the contacts of the guides, then the signposts, in the given order."""
    taxonomy = Taxonomy(
        id=id_of("taxonomy", "harms"),
        name="Harms to children",
        description="The subjects of the guides, and the risks that they say are often linked to them.",
    )
    terms = _terms(guides, taxonomy, public_url)
    entries = [entry for guide in guides for entry in _entries_of(guide, _publisher(guide, guides), terms)]
    entries += [_entry_of(signpost) for signpost in signposts]
    return Directory(tuple(service_of(entry) for entry in entries), taxonomy, tuple(terms.values()))


def _terms(guides: Sequence[Guide], taxonomy: Taxonomy, public_url: str) -> dict[str, TaxonomyTerm]:
    """Return the terms by slug; a slug that several guides name is one term, as the first of them describes it."""
    terms: dict[str, TaxonomyTerm] = {}

    def add(slug: str, name: str, description: str, path: str) -> None:
        term = TaxonomyTerm(
            id=id_of("term", slug),
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
        for risk in guide.content.linked_risks:
            add(risk.id, risk.text, described, f"{guide.head.guide}/linked-risks/{risk.id}")
    return terms


def _publisher(guide: Guide, guides: Sequence[Guide]) -> Organization:
    """Return the guide's publisher, with the name that the first of its guides prints."""
    published = [each for each in guides if each.publisher == guide.publisher]
    organization = id_of("organization", guide.publisher)
    of = guide.content.publisher
    code = OrganizationIdentifier(
        id=id_of("identifier", guide.publisher),
        organization_id=organization,
        identifier_type="Government Statistical Service code" if of.gss_code else "Unique reference number (URN)",
        identifier=guide.publisher,
    )
    return Organization(
        id=organization,
        name=published[0].content.publisher.name,
        description=f"Publisher of {'; '.join(each.head.title for each in published)}.",
        organization_identifiers=(code,) if of.gss_code or of.urn else None,
    )


def _entries_of(guide: Guide, publisher: Organization, terms: dict[str, TaxonomyTerm]) -> Iterator[Entry]:
    links: TermLinks = (
        ("subject", terms[guide.head.guide]),
        *(("linked_risk", terms[risk.id]) for risk in guide.content.linked_risks),
    )
    for contact, page in _with_pages(guide.content.contacts):
        yield Entry(
            name=(guide.publisher, guide.head.guide, contact.id),
            owner=(guide.publisher,),
            title=contact.name,
            organization=publisher,
            words=(
                f"{contact.name}, named in {guide.head.title}, edition {guide.head.number}",
                contact.when,
                _numbers(contact.phones),
                f"The web address leads to: {page.name}" if page else None,
                page.when if page else None,
                *_other_ways(contact),
                CALL_999,
            ),
            phones=contact.phones,
            email=contact.email,
            address=contact.address,
            opening_hours=contact.opening_hours,
            url=page.url if page else contact.url,
            verified_on=_checked_on(contact, page or contact),
            links=links,
            last_modified=guide.head.published_at,
        )


def _with_pages(contacts: Sequence[Contact]) -> Iterator[tuple[Contact, Contact | None]]:
    """Yield each contact, and the web page that belongs to it.

    The guide's first telephone contact gets its first web contact, since a service has one web address.
    """
    telephone = next((each for each in contacts if each.kind is ContactKind.TELEPHONE and each.url is None), None)
    page = next((each for each in contacts if telephone and each.kind is ContactKind.WEB and not each.phones), None)
    return ((each, page if each is telephone else None) for each in contacts if each is not page)


def _checked_on(*contacts: Contact) -> dt.date | None:
    """Return the earliest day on which one of the contacts was checked; None if one never was."""
    days = [contact.verified_on for contact in contacts]
    return None if None in days else min(filter(None, days))


def _entry_of(signpost: Signpost) -> Entry:
    name = ("signposts", signpost.id)
    return Entry(
        name=name,
        owner=name,
        title=signpost.name,
        organization=Organization(
            id=id_of("organization", *name), name=signpost.name, description=signpost.description
        ),
        words=(
            signpost.description,
            f"For: {signpost.audience}" if signpost.audience else None,
            signpost.when,
            _numbers(signpost.phones),
            f"Source: {signpost.source}",
            None if signpost.emergency else CALL_999,
        ),
        phones=signpost.phones,
        url=signpost.url,
        verified_on=signpost.verified_on,
    )


def _other_ways(contact: Contact) -> Iterator[str]:
    """Yield what the profile's fields cannot hold, or not all readers show."""
    if contact.email:
        yield f"Email: {contact.email}"
    if contact.text_relay:
        yield f"Text relay: {contact.text_relay}"
    if contact.address:
        yield f"Address: {', '.join((*contact.address.lines, contact.address.town, contact.address.postcode))}"


def _numbers(phones: Sequence[Phone]) -> str | None:
    """Return a sentence with the numbers as printed, and as a telephone dials them."""
    numbers = [
        phone.display
        + (f", option {phone.option}" if phone.option else "")
        + (f" ({phone.number})" if phone.number != phone.display else "")
        for phone in phones
    ]
    return f"Telephone: {'; '.join(numbers)}" if numbers else None
