"""Responses of the Open Referral UK stub: those sections of the profile (HSDS-UK 3.0) that this service fills.

A list holds entries of a shorter model, which is the base of the whole one.
"""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, PlainSerializer

from app.models.open_referral.components import (
    A_LOCATION,
    A_NAME,
    A_SERVICE,
    AN_ORGANIZATION,
    URI,
    Absent,
    Attribute,
    ListedOrganization,
    OmitsEmpty,
    Organization,
    Schedule,
    ServiceContact,
    Taxonomy,
    TaxonomyTerm,
    VirtualLocation,
    example_of,
)
from app.models.open_referral.places import PhysicalLocation

A_SERVICE_AT_LOCATION = "dad806a3-3841-522a-9d58-0fcb6ea53b70"
A_DESCRIPTION = (
    "Duty and Assessment Team, named in ‘One Minute Guide’ to Child Sexual Exploitation (CSE), edition 1. Telephone: "
    "01225 396312, option 1 (+441225396312); 396313, option 1 (+441225396313). The web address leads to: Request for "
    "Service Form. In immediate danger call 999. Nobody has checked these details yet."
)
A_FORM = "https://www.bathnes.gov.uk/services/children-young-people-and-families/child-protection"


def format_milliseconds(moment: dt.datetime) -> str:
    """Return the moment in UTC to the millisecond, the precision that the profile requires."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Modified = Annotated[AwareDatetime, PlainSerializer(format_milliseconds, return_type=str, when_used="json")]
ServiceStatus = Literal["active", "inactive", "defunct", "temporarily closed"]


class ApiDescription(OmitsEmpty):
    """What this API speaks, and where that is described."""

    version: Literal["HSDS-UK-3.0"] = Field(description="The standard and its version.", examples=["HSDS-UK-3.0"])
    profile: str = Field(
        description="Where the profile is described.",
        examples=["https://docs.openreferraluk.org/en/latest/"],
        json_schema_extra=URI,
    )
    openapi_url: str = Field(
        description="The OpenAPI document of this stub alone, with paths that begin at the stub.",
        examples=["http://127.0.0.1:8000/open-referral/v3/openapi.json"],
        json_schema_extra=URI,
    )


class ServiceLocation(OmitsEmpty):
    """That a service is reached at a location."""

    id: UUID = Field(description="The link.", examples=[A_SERVICE_AT_LOCATION])
    service_id: UUID = Field(description="The service.", examples=[A_SERVICE])
    location_id: UUID = Field(description="The location.", examples=[A_LOCATION])
    location: VirtualLocation | PhysicalLocation = Field(
        description="The location, whole.", examples=[example_of(VirtualLocation)]
    )


class ListedService(OmitsEmpty):
    """A service as it stands in lists."""

    id: UUID = Field(description="The service: the same from edition to edition.", examples=[A_SERVICE])
    organization_id: UUID = Field(description="The organization that answers.", examples=[AN_ORGANIZATION])
    name: str = Field(description="The name as printed.", examples=[A_NAME])
    description: str = Field(
        description="Where it is named, its numbers, and whether anybody has checked them.", examples=[A_DESCRIPTION]
    )
    url: str | Absent = Field(default=None, description="Its web address.", examples=[A_FORM], json_schema_extra=URI)
    status: ServiceStatus = Field(description="Whether it is there: a current edition names it.", examples=["active"])
    assured_date: dt.date | Absent = Field(
        default=None,
        description="The day on which a person last checked the details; left out where nobody has.",
        examples=["2026-11-24"],
    )
    last_modified: Modified | Absent = Field(
        default=None,
        description="When the edition that names it was published; left out for a signpost.",
        examples=["2026-11-24T09:30:00.000Z"],
        json_schema_extra={"format": "date-time"},
    )
    organization: ListedOrganization = Field(
        description="The organization that answers.", examples=[example_of(ListedOrganization)]
    )


class Service(ListedService):
    """A service, whole."""

    organization: Organization = Field(description="The organization, whole.", examples=[example_of(Organization)])
    service_at_locations: tuple[ServiceLocation, ...] | Absent = Field(
        default=None, description="Where it is reached.", examples=[[example_of(ServiceLocation)]]
    )
    contacts: tuple[ServiceContact, ...] | Absent = Field(
        default=None, description="Whom to ask for, with the numbers.", examples=[[example_of(ServiceContact)]]
    )
    schedules: tuple[Schedule, ...] | Absent = Field(
        default=None, description="When it is open.", examples=[[example_of(Schedule)]]
    )
    attributes: tuple[Attribute, ...] | Absent = Field(
        default=None, description="What it has to do with.", examples=[[example_of(Attribute)]]
    )


class ListedServiceAtLocation(ServiceLocation):
    """A service at its location as it stands in lists."""

    service: ListedService = Field(description="The service.", examples=[example_of(ListedService)])


class ServiceAtLocation(ServiceLocation):
    """A service at its location, whole.

    The profile declares this answer with the schema of a service, so what that requires stands here too.
    """

    organization_id: UUID = Field(description="The organization that answers.", examples=[AN_ORGANIZATION])
    name: str = Field(description="The service's name.", examples=[A_NAME])
    status: ServiceStatus = Field(description="The service's status.", examples=["active"])
    service: Service = Field(
        description="The service, without the locations that stand here.",
        examples=[{name: value for name, value in example_of(Service).items() if name != "service_at_locations"}],
    )


class Page(OmitsEmpty):
    """One page of a list."""

    total_items: int = Field(description="Entries on all pages.", examples=[14])
    total_pages: int = Field(description="Pages.", examples=[1])
    page_number: int = Field(description="This page, from 1.", examples=[1])
    size: int = Field(description="Entries on this page.", examples=[14])
    first_page: bool = Field(description="Whether it is the first.", examples=[True])
    last_page: bool = Field(description="Whether none follows.", examples=[True])
    empty: bool = Field(description="Whether nothing is on it.", examples=[False])


class ServicePage(Page):
    """Services."""

    contents: tuple[ListedService, ...] = Field(description="The services.", examples=[[example_of(ListedService)]])


class ServiceAtLocationPage(Page):
    """Services at their locations."""

    contents: tuple[ListedServiceAtLocation, ...] = Field(
        description="The services at their locations.", examples=[[example_of(ListedServiceAtLocation)]]
    )


class TaxonomyPage(Page):
    """Taxonomies."""

    total_items: int = Field(description="Entries on all pages.", examples=[1])
    size: int = Field(description="Entries on this page.", examples=[1])
    contents: tuple[Taxonomy, ...] = Field(description="The taxonomies.", examples=[[example_of(Taxonomy)]])


class TaxonomyTermPage(Page):
    """Terms."""

    total_items: int = Field(description="Entries on all pages.", examples=[7])
    size: int = Field(description="Entries on this page.", examples=[7])
    contents: tuple[TaxonomyTerm, ...] = Field(description="The terms.", examples=[[example_of(TaxonomyTerm)]])
