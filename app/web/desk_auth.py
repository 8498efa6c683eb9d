"""Authentication of the desk. A caller is recorded by the client's name and its network address."""

from typing import Annotated

from fastapi import Depends, Request, Security

from app.models.clients import Scope
from app.services.access.clients import Principal
from app.store.disclosures import Actor
from app.web.auth import require_client


async def require_actor(request: Request, principal: Annotated[Principal, Depends(require_client)]) -> Actor:
    """Return the caller as the record of disclosures names it."""
    return Actor(principal.name, request.client.host if request.client else "unknown")


ReaderDep = Annotated[Actor, Security(require_actor, scopes=[Scope.READ])]
WorkerDep = Annotated[Actor, Security(require_actor, scopes=[Scope.WRITE])]
AuditorDep = Annotated[Actor, Security(require_actor, scopes=[Scope.AUDIT])]
