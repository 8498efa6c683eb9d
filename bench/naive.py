"""A naive implementation, made in an afternoon: FastAPI, SQLModel and SQLite, without cache, writer or encryption."""

import os
import secrets
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import JSON, Column, create_engine
from sqlmodel import Field, Session, SQLModel, col, select

engine = create_engine(f"sqlite:///{os.environ['BENCH_NAIVE_DATABASE']}")


class Item(SQLModel, table=True):
    """One item of a section of a guide."""

    id: int | None = Field(default=None, primary_key=True)
    guide: str = Field(index=True)
    section: str = Field(index=True)
    position: int
    slug: str
    text: str
    more: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON))


class PostedConcern(SQLModel):
    """A concern as it is posted."""

    immediate_danger: str
    reporter: dict[str, Any]
    children: list[dict[str, Any]]
    concern: dict[str, Any]


class Concern(SQLModel, table=True):
    """A stored concern, not encrypted."""

    reference: str = Field(primary_key=True)
    content: dict[str, Any] = Field(sa_column=Column(JSON))


@asynccontextmanager
async def live(_app: FastAPI) -> Any:
    """Create the tables before the application starts to serve."""
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[name] for name in ("item", "concern")])
    yield


app = FastAPI(lifespan=live)


def _session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(_session)]


@app.get("/guides/{guide}/{section}")
def read_section(session: SessionDep, guide: str, section: str) -> list[Item]:
    """Return the items of one section of a guide."""
    found = select(Item).where(Item.guide == guide, Item.section == section).order_by(col(Item.position))
    items = list(session.exec(found))
    if not items:
        raise HTTPException(404)
    return items


@app.get("/guides/{guide}")
def read_guide(session: SessionDep, guide: str) -> list[Item]:
    """Return all items of a guide."""
    return list(session.exec(select(Item).where(Item.guide == guide).order_by(col(Item.section), col(Item.position))))


@app.get("/search")
def search(session: SessionDep, q: str) -> list[Item]:
    """Return up to 20 items that contain the text `q`."""
    return list(session.exec(select(Item).where(col(Item.text).contains(q)).limit(20)))


@app.post("/concerns", status_code=201)
def post_concern(session: SessionDep, posted: PostedConcern) -> dict[str, str]:
    """Store the concern. The response is sent once the concern is on the disk."""
    concern = Concern(reference=secrets.token_hex(8), content=posted.model_dump())
    session.add(concern)
    session.commit()
    return {"reference": concern.reference}
