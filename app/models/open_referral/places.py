"""Places to visit or to write to, as Open Referral UK has them."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from app.models.open_referral.components import OmitsEmpty, example_of

A_PLACE = "3f0c1a52-8d5e-5b0e-9c5d-2f6a7b1e4c90"


class PlaceAddress(OmitsEmpty):
    """A postal address."""

    id: UUID = Field(description="The address's own id.", examples=["b1d7a4f0-2c3e-5f61-8a97-6e5d4c3b2a19"])
    location_id: UUID = Field(description="The location.", examples=[A_PLACE])
    address_1: str = Field(description="Building, street and district.", examples=["1 Example Street"])
    city: str = Field(description="Town or city.", examples=["Exampleton"])
    state_province: str = Field(
        description="The standard needs a county. A guide prints none, so the town is here again.",
        examples=["Exampleton"],
    )
    postal_code: str = Field(description="Postcode.", examples=["ZZ99 9ZZ"])
    country: Literal["GB"] = Field(description="Country (ISO 3166-1).", examples=["GB"])
    address_type: Literal["physical"] = Field(description="That it is a place.", examples=["physical"])


class PhysicalLocation(OmitsEmpty):
    """A place to visit or to write to."""

    id: UUID = Field(description="The location.", examples=[A_PLACE])
    location_type: Literal["physical"] = Field(description="That it is a place.", examples=["physical"])
    name: str = Field(description="Its name.", examples=["Example Team"])
    description: str = Field(description="What it is.", examples=["A place to visit or to write to."])
    addresses: tuple[PlaceAddress, ...] = Field(description="Its address.", examples=[[example_of(PlaceAddress)]])
