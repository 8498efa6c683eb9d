"""Requests and responses of the desk about saved views: a name, and filters of the inbox."""

from typing import Self

from pydantic import Field, StrictBool, model_validator

from app.faults import CodedValueError, FaultCode
from app.models.base import RequestModel, ResponseModel, Slug, UtcDateTime
from app.models.concerns.concern import ImmediateDanger
from app.models.concerns.tables import ConcernState
from app.models.links import Links
from app.models.recordable_names import PersonName

VIEW_LINKS = Field(
    description="Paths of this API, by relation; `concerns` is the inbox with these filters.",
    examples=[{"self": "/v1/desk/views/urgent", "concerns": "/v1/desk/concerns?danger=yes&mine=true"}],
)


class ViewFilters(RequestModel):
    """Filters of the inbox, as its query parameters name them. What is absent, or null, is no filter."""

    state: ConcernState | None = Field(default=None, description="Only this state.", examples=["received"])
    overdue: StrictBool | None = Field(
        default=None, description="Only what is overdue, or only the rest.", examples=[True]
    )
    danger: ImmediateDanger | None = Field(default=None, description="Only this answer.", examples=["yes"])
    guide: Slug | None = Field(default=None, description="Only this guide.", examples=["child-sexual-exploitation"])
    assigned_to: PersonName | None = Field(
        default=None, description="Only those of this person.", examples=["Robin Example"]
    )
    mine: StrictBool = Field(default=False, description="Only those of the person that looks.", examples=[False])
    unassigned: StrictBool = Field(default=False, description="Only those of nobody.", examples=[False])

    @model_validator(mode="after")
    def _name_one_person(self) -> Self:
        if sum([self.assigned_to is not None, self.mine, self.unassigned]) > 1:
            raise CodedValueError(FaultCode.INVALID, "give one of assigned_to, mine and unassigned")
        return self


class SavedView(ResponseModel):
    """A view of the inbox that a person saved."""

    name: Slug = Field(description="Its name.", examples=["urgent"])
    filters: dict[str, str | bool] = Field(description="Its filters.", examples=[{"danger": "yes", "mine": True}])
    saved_at: UtcDateTime = Field(description="When it was saved last.")
    links: Links = VIEW_LINKS


class SavedViewsResponse(ResponseModel):
    """The views of one person, by name."""

    views: tuple[SavedView, ...] = Field(description="The views: 50 at most.")
