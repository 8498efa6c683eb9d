"""Who may call the desk, and how they stand on the record: by the client's name and the address it calls from."""

from typing import Annotated

from fastapi import Depends, Request, Security

from app.models.clients import Scope
from app.web.auth import the_client
from app.services.access.clients import Caller
from app.store.disclosures import Actor


async def the_actor(request: Request, caller: Annotated[Caller, Depends(the_client)]) -> Actor:
    """The caller, as the record of disclosures names them."""
    return Actor(caller.name, request.client.host if request.client else "unknown")


Reader = Annotated[Actor, Security(the_actor, scopes=[Scope.READ])]
Worker = Annotated[Actor, Security(the_actor, scopes=[Scope.WRITE])]
Auditor = Annotated[Actor, Security(the_actor, scopes=[Scope.AUDIT])]
