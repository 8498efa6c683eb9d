"""The components of an Open Referral UK service: organizations, locations, telephone numbers and taxonomies.

The profile (HSDS-UK 3.0) refuses null: an empty member is left out, so these models are written with
`exclude_none=True`. The first examples of a model's fields, taken together, are one thing of the shipped guide.

Source: OpenReferralUK/uk-profile, October 2024. `contacts[].phones[]` is core HSDS 3.0 beside that profile.
"""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from app.models.base import ResponseModel

Absent = SkipJsonSchema[None]
NOT_SHIPPED = frozenset({"assured_date", "email", "schedules"})  # what no contact of the shipped guide has
URI: JsonDict = {"format": "uri"}

AN_ORGANIZATION = "4652e5b3-450f-5494-a7ae-d5aef5575c5c"
A_SERVICE = "6c023b39-b7ac-5ca2-a2f2-964ca812f434"
A_CONTACT = "f305779a-caa2-59a8-9a10-5fbc672cca34"
A_LOCATION = "7224f612-0b5b-53a0-aeea-448bf9c871e4"
A_TAXONOMY = "16b60a0a-7cf6-5b72-b43b-7ac425c21821"
A_TERM = "ee12f2a6-b106-51cb-9562-4403f986d755"
A_NAME = "Duty and Assessment Team"


def example_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the model's example: the first example of each field, without fields that the shipped guide lacks."""
    fields = model.model_fields.items()
    return {name: field.examples[0] for name, field in fields if field.examples and name not in NOT_SHIPPED}


def _without_nulls(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Remove null defaults from the schema, since no field is null, and add the example."""
    for field in schema["properties"].values():
        if field.get("default", "") is None:
            del field["default"]
    schema["examples"] = [example_of(model)]


class OmitsEmpty(ResponseModel):
    """The base of every model of the directory. Empty members are left out."""

    model_config = ConfigDict(json_schema_extra=_without_nulls)


class TaxonomyTerm(OmitsEmpty):
    """A subject that a guide has, or a risk that a guide says is often linked to its own."""

    id: UUID = Field(description="The term.", examples=[A_TERM])
    name: str = Field(
        description="The subject in words, or the risk as printed.", examples=["Child sexual exploitation"]
    )
    description: str = Field(
        description="Which guide names it, and as what.",
        examples=["The subject of ‘One Minute Guide’ to Child Sexual Exploitation (CSE)."],
    )
    taxonomy: str = Field(description="The taxonomy's name.", examples=["Harms to children"])
    taxonomy_id: UUID = Field(description="The taxonomy.", examples=[A_TAXONOMY])
    term_uri: str = Field(
        description="Where the guide tells of it.",
        examples=["http://127.0.0.1:8000/v1/guides/child-sexual-exploitation"],
        json_schema_extra=URI,
    )


class Taxonomy(OmitsEmpty):
    """The one taxonomy: the harms that the guides are about."""

    id: UUID = Field(description="The taxonomy.", examples=[A_TAXONOMY])
    name: str = Field(description="Its name.", examples=["Harms to children"])
    description: str = Field(
        description="What its terms are.",
        examples=["The subjects of the guides, and the risks that they say are often linked to them."],
    )


class Attribute(OmitsEmpty):
    """That a term has to do with a service."""

    id: UUID = Field(description="The attribute.", examples=["17e0d3e2-8132-593e-8c52-143b30d9d96d"])
    link_id: UUID = Field(description="The service.", examples=[A_SERVICE])
    link_type: Literal["subject", "linked_risk"] = Field(
        description="What the term is to the guide that names the service.", examples=["subject"]
    )
    taxonomy_term_id: UUID = Field(description="The term.", examples=[A_TERM])
    taxonomy_term: TaxonomyTerm = Field(description="The term, whole.", examples=[example_of(TaxonomyTerm)])


class OrganizationIdentifier(OmitsEmpty):
    """A code by which others know the organization."""

    id: UUID = Field(description="The identifier's own id.", examples=["666f0c54-775b-5586-a72e-c2742d965abf"])
    organization_id: UUID = Field(description="The organization.", examples=[AN_ORGANIZATION])
    identifier_type: str = Field(
        description="What kind of code it is.", examples=["Government Statistical Service code"]
    )
    identifier: str = Field(description="The code.", examples=["E06000022"])


class ListedOrganization(OmitsEmpty):
    """Who answers, as it stands in lists."""

    id: UUID = Field(description="The organization.", examples=[AN_ORGANIZATION])
    name: str = Field(description="Its name, as printed.", examples=["Bath & North East Somerset Council"])
    description: str = Field(
        description="What it is to the guides, or what it is for.",
        examples=["Publisher of ‘One Minute Guide’ to Child Sexual Exploitation (CSE)."],
    )


class Organization(ListedOrganization):
    """Who answers: the publisher of a guide, or the body that a signpost names."""

    organization_identifiers: tuple[OrganizationIdentifier, ...] | Absent = Field(
        default=None, description="Codes by which others know it.", examples=[[example_of(OrganizationIdentifier)]]
    )


class ServicePhone(OmitsEmpty):
    """A number to call."""

    id: UUID = Field(description="The number's own id.", examples=["87f8462d-2a56-54ac-b0c2-11465da07b65"])
    contact_id: UUID = Field(description="The contact.", examples=[A_CONTACT])
    number: str = Field(description="E.164, or the bare digits of a short code.", examples=["+441225396312"])
    description: str | Absent = Field(
        default=None, description="What to press when the call is answered.", examples=["Option 1"]
    )


class ServiceContact(OmitsEmpty):
    """Whom to ask for."""

    id: UUID = Field(description="The contact.", examples=[A_CONTACT])
    service_id: UUID = Field(description="The service.", examples=[A_SERVICE])
    name: str = Field(description="The name.", examples=[A_NAME])
    email: str | Absent = Field(default=None, description="The email address.", examples=["duty@council.example"])
    phones: tuple[ServicePhone, ...] = Field(
        description="The numbers, in the printed order.", examples=[[example_of(ServicePhone)]]
    )


class Schedule(OmitsEmpty):
    """When a service is open, each week (RFC 5545)."""

    id: UUID = Field(description="The schedule.", examples=["0a1f6d0e-6c07-5a5c-9a3d-7a1e5b6c2f10"])
    service_id: UUID = Field(description="The service.", examples=[A_SERVICE])
    freq: Literal["WEEKLY"] = Field(default="WEEKLY", description="How often it repeats.", examples=["WEEKLY"])
    byday: str = Field(description="The days.", examples=["MO,TU,WE,TH,FR"])
    opens_at: str = Field(description="From, in local time.", examples=["08:30"])
    closes_at: str = Field(description="Until, in local time.", examples=["17:00"])


class VirtualLocation(OmitsEmpty):
    """Where a service is reached: at no address."""

    id: UUID = Field(description="The location.", examples=[A_LOCATION])
    location_type: Literal["virtual"] = Field(description="That it is no place to go to.", examples=["virtual"])
    name: str = Field(description="Its name.", examples=["Bath & North East Somerset Council, by telephone or online"])
    description: str = Field(
        description="What that means.", examples=["Reached by telephone or online; no address is given to visit."]
    )
