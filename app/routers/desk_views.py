"""Views of the inbox that people save, each for itself."""

from typing import Annotated

from fastapi import Path

from app.models.base import SLUG_PATTERN
from app.models.desk.views import SavedView, SavedViewsResponse, ViewFilters
from app.models.links import DESK_VIEWS
from app.presenters.views import saved_view
from app.services.desk import views
from app.web import problem_types as problems
from app.web.auth import ReaderDep
from app.web.context import ContextDep, NowDep, SessionDep
from app.web.json_body import JSONRoute
from app.web.problem_responses import RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.web.router import GuidanceRouter

router = GuidanceRouter(
    prefix=DESK_VIEWS,
    tags=["Desk"],
    responses=RESPONSES_OF_CLIENT_ROUTES,
    route_class=JSONRoute,
)
ViewName = Annotated[
    str, Path(pattern=SLUG_PATTERN, max_length=80, description="The view's name.", examples=["urgent"])
]


@router.get("", summary="List your views")
def read_views(session: SessionDep, actor: ReaderDep) -> SavedViewsResponse:
    """The views that you saved, by name. `links.concerns` of each is the inbox with its filters."""
    return SavedViewsResponse(views=tuple(map(saved_view, views.list_views(session, actor.person))))


@router.put("/{name}", summary="Save a view", responses=problem_responses(problems.NOT_FOUND, *problems.BODY_PROBLEMS))
def save_view(context: ContextDep, actor: ReaderDep, now: NowDep, name: ViewName, filters: ViewFilters) -> SavedView:
    """Save filters of the inbox under a name, in place of those that had it. No other person sees your views."""
    return saved_view(views.save_view(context.writer, actor.person, name, filters, at=now))


@router.delete("/{name}", summary="Remove a view", responses=problem_responses(problems.ITEM_NOT_FOUND))
def remove_view(context: ContextDep, session: SessionDep, actor: ReaderDep, name: ViewName) -> SavedViewsResponse:
    """Remove one of your views, and return the others."""
    views.remove_view(context.writer, actor.person, name)
    return SavedViewsResponse(views=tuple(map(saved_view, views.list_views(session, actor.person))))
