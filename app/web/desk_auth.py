"""Who may call the desk, and how they stand on the record: by the client's name and the address it calls from."""

from typing import Annotated

from fastapi import Depends, Request, Security

from app.models.clients import Scope
from app.services.access.clients import Principal
from app.store.disclosures import Actor
from app.web.auth import require_client


async def require_actor(request: Request, principal: Annotated[Principal, Depends(require_client)]) -> Actor:
    """The principal, as the record of disclosures names them."""
    return Actor(principal.name, request.client.host if request.client else "unknown")


ReaderDep = Annotated[Actor, Security(require_actor, scopes=[Scope.READ])]
WorkerDep = Annotated[Actor, Security(require_actor, scopes=[Scope.WRITE])]
AuditorDep = Annotated[Actor, Security(require_actor, scopes=[Scope.AUDIT])]
