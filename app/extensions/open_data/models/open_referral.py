"""Open Referral UK: the response models of the service directory, with the parts of the profile that are in use.

The profile (HSDS-UK 3.0) forbids null, so responses are serialised with `exclude_none=True`. The first examples of a
model's fields together describe one object of the shipped guide.

Source: OpenReferralUK/uk-profile, October 2024. `contacts[].phones[]` is from core HSDS 3.0, not the profile.
"""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from app.models.base import ResponseModel

Absent = SkipJsonSchema[None]
NOT_SHIPPED = frozenset({"assured_date", "email", "schedules"})  # fields that no contact of the shipped guide has
URI: JsonDict = {"format": "uri"}
AN_ORGANIZATION = "4652e5b3-450f-5494-a7ae-d5aef5575c5c"
A_SERVICE = "6c023b39-b7ac-5ca2-a2f2-964ca812f434"
A_CONTACT = "f305779a-caa2-59a8-9a10-5fbc672cca34"
A_LOCATION = "7224f612-0b5b-53a0-aeea-448bf9c871e4"
A_TAXONOMY = "16b60a0a-7cf6-5b72-b43b-7ac425c21821"
A_TERM = "ee12f2a6-b106-51cb-9562-4403f986d755"
A_NAME = "Duty and Assessment Team"
A_PLACE = "3f0c1a52-8d5e-5b0e-9c5d-2f6a7b1e4c90"
A_SERVICE_AT_LOCATION = "dad806a3-3841-522a-9d58-0fcb6ea53b70"
A_DESCRIPTION = (
    "Duty and Assessment Team, named in ‘One Minute Guide’ to Child Sexual Exploitation (CSE), edition 1. Telephone: "
    "01225 396312, option 1 (+441225396312); 396313, option 1 (+441225396313). When it is closed: Bath & North East "
    "Somerset Emergency Duty Team. Telephone: 01454 615165 (+441454615165). The web address leads to: Request for "
    "Service Form. In immediate danger call 999. Nobody has checked these details yet."
)
A_FORM = "https://www.bathnes.gov.uk/services/children-young-people-and-families/child-protection"
ServiceStatus = Literal["active", "inactive", "defunct", "temporarily closed"]


def _example_of(model: type[BaseModel]) -> dict[str, Any]:
    """Leave out fields that the shipped guide lacks."""
    fields = model.model_fields.items()
    return {name: field.examples[0] for name, field in fields if field.examples and name not in NOT_SHIPPED}


def _without_nulls(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """No field may be null, so null defaults go. Add the example of `model`."""
    for field in schema["properties"].values():
        if field.get("default", "") is None:
            del field["default"]
    schema["examples"] = [_example_of(model)]


class OmitsEmpty(ResponseModel):
    """Base class of every model of the directory. Responses leave out empty fields."""

    model_config = ConfigDict(json_schema_extra=_without_nulls)


class TaxonomyTerm(OmitsEmpty):
    """The subject of a guide, or a risk that a guide links to its subject."""

    id: UUID = Field(description="The term.", examples=[A_TERM])
    name: str = Field(
        description="Label of the subject, or the risk as printed.", examples=["Child sexual exploitation"]
    )
    description: str = Field(
        description="The guide that names it, and how.",
        examples=["The subject of ‘One Minute Guide’ to Child Sexual Exploitation (CSE)."],
    )
    taxonomy: str = Field(description="The taxonomy's name.", examples=["Harms to children"])
    taxonomy_id: UUID = Field(description="The taxonomy.", examples=[A_TAXONOMY])
    term_uri: str = Field(
        description="URL of the guide that names it.",
        examples=["http://127.0.0.1:8000/v1/guides/child-sexual-exploitation"],
        json_schema_extra=URI,
    )


class Taxonomy(OmitsEmpty):
    """The only taxonomy: the harms that the guides are about."""

    id: UUID = Field(description="The taxonomy.", examples=[A_TAXONOMY])
    name: str = Field(description="Its name.", examples=["Harms to children"])
    description: str = Field(
        description="Subject of its terms.",
        examples=["The subjects of the guides, and the risks that they say are often linked to them."],
    )


class Attribute(OmitsEmpty):
    """Links a term to a service."""

    id: UUID = Field(description="The attribute.", examples=["17e0d3e2-8132-593e-8c52-143b30d9d96d"])
    link_id: UUID = Field(description="The service.", examples=[A_SERVICE])
    link_type: Literal["subject", "linked_risk"] = Field(
        description="How the term relates to the guide that names the service.", examples=["subject"]
    )
    taxonomy_term_id: UUID = Field(description="The term.", examples=[A_TERM])
    taxonomy_term: TaxonomyTerm = Field(description="The complete term.", examples=[_example_of(TaxonomyTerm)])


class OrganizationIdentifier(OmitsEmpty):
    """An identifier of the organization in another scheme."""

    id: UUID = Field(description="Id of the identifier.", examples=["666f0c54-775b-5586-a72e-c2742d965abf"])
    organization_id: UUID = Field(description="The organization.", examples=[AN_ORGANIZATION])
    identifier_type: str = Field(
        description="Scheme of the identifier.", examples=["Government Statistical Service code"]
    )
    identifier: str = Field(description="The code.", examples=["E06000022"])


class ListedOrganization(OmitsEmpty):
    """An organization in a list."""

    id: UUID = Field(description="The organization.", examples=[AN_ORGANIZATION])
    name: str = Field(description="Its name, as printed.", examples=["Bath & North East Somerset Council"])
    description: str = Field(
        description="Role in the guides, or purpose.",
        examples=["Publisher of ‘One Minute Guide’ to Child Sexual Exploitation (CSE)."],
    )


class Organization(ListedOrganization):
    """An organization: the publisher of a guide, or one named in a signpost."""

    organization_identifiers: tuple[OrganizationIdentifier, ...] | Absent = Field(
        default=None,
        description="Identifiers of the organization in other schemes.",
        examples=[[_example_of(OrganizationIdentifier)]],
    )


class ServicePhone(OmitsEmpty):
    """A number to call."""

    id: UUID = Field(description="Id of the number.", examples=["87f8462d-2a56-54ac-b0c2-11465da07b65"])
    contact_id: UUID = Field(description="The contact.", examples=[A_CONTACT])
    number: str = Field(description="E.164, or the bare digits of a short code.", examples=["+441225396312"])
    description: str | Absent = Field(default=None, description="Menu option to press.", examples=["Option 1"])


class ServiceContact(OmitsEmpty):
    """Whom to ask for."""

    id: UUID = Field(description="The contact.", examples=[A_CONTACT])
    service_id: UUID = Field(description="The service.", examples=[A_SERVICE])
    name: str = Field(description="The name.", examples=[A_NAME])
    email: str | Absent = Field(default=None, description="The email address.", examples=["duty@council.example"])
    phones: tuple[ServicePhone, ...] = Field(
        description="The numbers, in the printed order.", examples=[[_example_of(ServicePhone)]]
    )


class Schedule(OmitsEmpty):
    """Weekly opening hours of a service (RFC 5545)."""

    id: UUID = Field(description="The schedule.", examples=["0a1f6d0e-6c07-5a5c-9a3d-7a1e5b6c2f10"])
    service_id: UUID = Field(description="The service.", examples=[A_SERVICE])
    freq: Literal["WEEKLY"] = Field(default="WEEKLY", description="How often it repeats.", examples=["WEEKLY"])
    byday: str = Field(description="The days.", examples=["MO,TU,WE,TH,FR"])
    opens_at: str = Field(description="From, in local time.", examples=["08:30"])
    closes_at: str = Field(description="Until, in local time.", examples=["17:00"])


class VirtualLocation(OmitsEmpty):
    """A location without an address: by phone or online."""

    id: UUID = Field(description="The location.", examples=[A_LOCATION])
    location_type: Literal["virtual"] = Field(description="Not a physical place.", examples=["virtual"])
    name: str = Field(description="Its name.", examples=["Bath & North East Somerset Council, by telephone or online"])
    description: str = Field(
        description="Description of the location.",
        examples=["Reached by telephone or online; no address is given to visit."],
    )


class PlaceAddress(OmitsEmpty):
    """A postal address."""

    id: UUID = Field(description="Id of the address.", examples=["b1d7a4f0-2c3e-5f61-8a97-6e5d4c3b2a19"])
    location_id: UUID = Field(description="The location.", examples=[A_PLACE])
    address_1: str = Field(description="Building, street and district.", examples=["1 Example Street"])
    city: str = Field(description="Town or city.", examples=["Exampleton"])
    state_province: str = Field(
        description="County, which the standard requires. Guides print none, so this repeats the town.",
        examples=["Exampleton"],
    )
    postal_code: str = Field(description="Postcode.", examples=["ZZ99 9ZZ"])
    country: Literal["GB"] = Field(description="Country (ISO 3166-1).", examples=["GB"])
    address_type: Literal["physical"] = Field(description="A physical place.", examples=["physical"])


class PhysicalLocation(OmitsEmpty):
    """A place to visit or write to."""

    id: UUID = Field(description="The location.", examples=[A_PLACE])
    location_type: Literal["physical"] = Field(description="A physical place.", examples=["physical"])
    name: str = Field(description="Its name.", examples=["Example Team"])
    description: str = Field(description="Type of location.", examples=["A place to visit or write to."])
    addresses: tuple[PlaceAddress, ...] = Field(description="Its address.", examples=[[_example_of(PlaceAddress)]])


def _format_milliseconds(moment: dt.datetime) -> str:
    """Return UTC, as the profile requires."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Modified = Annotated[AwareDatetime, PlainSerializer(_format_milliseconds, return_type=str, when_used="json")]


class ApiDescription(OmitsEmpty):
    """The standard that this API follows, and its documentation."""

    version: Literal["HSDS-UK-3.0"] = Field(description="The standard, with its version.", examples=["HSDS-UK-3.0"])
    profile: str = Field(
        description="URL of the profile's documentation.",
        examples=["https://docs.openreferraluk.org/en/latest/"],
        json_schema_extra=URI,
    )
    openapi_url: str = Field(
        description="OpenAPI document of this stub only, with paths relative to the stub.",
        examples=["http://127.0.0.1:8000/open-referral/v3/openapi.json"],
        json_schema_extra=URI,
    )


class ServiceLocation(OmitsEmpty):
    """Links a service to a location."""

    id: UUID = Field(description="The link.", examples=[A_SERVICE_AT_LOCATION])
    service_id: UUID = Field(description="The service.", examples=[A_SERVICE])
    location_id: UUID = Field(description="The location.", examples=[A_LOCATION])
    location: VirtualLocation | PhysicalLocation = Field(
        description="The complete location.", examples=[_example_of(VirtualLocation)]
    )


class ListedService(OmitsEmpty):
    """A service in a list."""

    id: UUID = Field(description="Id of the service, stable across editions.", examples=[A_SERVICE])
    organization_id: UUID = Field(description="The organization that provides the service.", examples=[AN_ORGANIZATION])
    name: str = Field(description="The name as printed.", examples=[A_NAME])
    description: str = Field(
        description="The guide or signpost that names it, its numbers, and whether they have been checked.",
        examples=[A_DESCRIPTION],
    )
    url: str | Absent = Field(default=None, description="Its web address.", examples=[A_FORM], json_schema_extra=URI)
    status: ServiceStatus = Field(description="Active if named in a current edition.", examples=["active"])
    assured_date: dt.date | Absent = Field(
        default=None,
        description="Date of the last check of the details by a person; absent if never checked.",
        examples=["2026-11-24"],
    )
    last_modified: Modified | Absent = Field(
        default=None,
        description="When the edition that names it was published; absent for a signpost.",
        examples=["2026-11-24T09:30:00.000Z"],
        json_schema_extra={"format": "date-time"},
    )
    organization: ListedOrganization = Field(
        description="The organization that provides the service.", examples=[_example_of(ListedOrganization)]
    )


class Service(ListedService):
    """A complete service."""

    organization: Organization = Field(description="The complete organization.", examples=[_example_of(Organization)])
    service_at_locations: tuple[ServiceLocation, ...] | Absent = Field(
        default=None, description="Locations of the service.", examples=[[_example_of(ServiceLocation)]]
    )
    contacts: tuple[ServiceContact, ...] | Absent = Field(
        default=None, description="Contacts, with their numbers.", examples=[[_example_of(ServiceContact)]]
    )
    schedules: tuple[Schedule, ...] | Absent = Field(
        default=None, description="Opening hours.", examples=[[_example_of(Schedule)]]
    )
    attributes: tuple[Attribute, ...] | Absent = Field(
        default=None, description="Taxonomy terms of the service.", examples=[[_example_of(Attribute)]]
    )


class ListedServiceAtLocation(ServiceLocation):
    """A service at its location, in a list."""

    service: ListedService = Field(description="The service.", examples=[_example_of(ListedService)])


class ServiceAtLocation(ServiceLocation):
    """A complete service at its location.

    The profile declares this response with the schema of a service, so it repeats the required members.
    """

    organization_id: UUID = Field(description="The organization that provides the service.", examples=[AN_ORGANIZATION])
    name: str = Field(description="The service's name.", examples=[A_NAME])
    status: ServiceStatus = Field(description="The service's status.", examples=["active"])
    service: Service = Field(
        description="The service, without its locations.",
        examples=[{name: value for name, value in _example_of(Service).items() if name != "service_at_locations"}],
    )


class Page(OmitsEmpty):
    """One page of a list."""

    total_items: int = Field(description="Total number of entries.", examples=[17])
    total_pages: int = Field(description="Pages.", examples=[1])
    page_number: int = Field(description="Number of this page, from 1.", examples=[1])
    size: int = Field(description="Entries on this page.", examples=[17])
    first_page: bool = Field(description="True on the first page.", examples=[True])
    last_page: bool = Field(description="True on the last page.", examples=[True])
    empty: bool = Field(description="True if the page has no entries.", examples=[False])


class ServicePage(Page):
    """Services."""

    contents: tuple[ListedService, ...] = Field(description="The services.", examples=[[_example_of(ListedService)]])


class ServiceAtLocationPage(Page):
    """Services at their locations."""

    contents: tuple[ListedServiceAtLocation, ...] = Field(
        description="The services at their locations.", examples=[[_example_of(ListedServiceAtLocation)]]
    )


class TaxonomyPage(Page):
    """Taxonomies."""

    total_items: int = Field(description="Total number of entries.", examples=[1])
    size: int = Field(description="Entries on this page.", examples=[1])
    contents: tuple[Taxonomy, ...] = Field(description="The taxonomies.", examples=[[_example_of(Taxonomy)]])


class TaxonomyTermPage(Page):
    """Terms."""

    total_items: int = Field(description="Total number of entries.", examples=[7])
    size: int = Field(description="Entries on this page.", examples=[7])
    contents: tuple[TaxonomyTerm, ...] = Field(description="The terms.", examples=[[_example_of(TaxonomyTerm)]])
