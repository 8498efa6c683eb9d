"""What all routers of this service have in common."""

from collections.abc import Sequence

from fastapi import APIRouter, Depends, params

from app.routers.late_routes import LateRoute
from app.routers.queries import refuse_unknown_query


class Routes(APIRouter):
    """Routes that refuse a query parameter that they do not know, each named like its function."""

    def __init__(
        self,
        *,
        prefix: str = "",
        tags: Sequence[str] = (),
        dependencies: Sequence[params.Depends] = (),
        route_class: type[LateRoute] = LateRoute,
        include_in_schema: bool = True,
    ) -> None:
        super().__init__(
            prefix=prefix,
            tags=list(tags),
            dependencies=[Depends(refuse_unknown_query), *dependencies],
            route_class=route_class,
            include_in_schema=include_in_schema,
            generate_unique_id_function=lambda route: route.name,
        )
