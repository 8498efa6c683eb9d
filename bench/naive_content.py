"""A program that fills the database of the naive application with the items of the seed's guide."""

from sqlmodel import Session, SQLModel

from app.config import SEED_DIR
from app.models.guides.editions import EditionContent
from app.models.guides.sections import Section
from app.models.guides.seed_files import read_seed_file
from bench.naive import Concern, Item, engine

GUIDE = "child-sexual-exploitation"


def fill() -> None:
    """Create the tables, and insert every item of every section."""
    content = read_seed_file(SEED_DIR / "guides" / GUIDE / "1.yaml", EditionContent)
    SQLModel.metadata.create_all(
        engine, tables=[SQLModel.metadata.tables[str(t.__tablename__)] for t in (Item, Concern)]
    )
    with Session(engine) as session:
        for section in Section:
            for place, item in enumerate(getattr(content, section.key), start=1):
                members = item.model_dump(mode="json")
                text = str(members.get("text") or members.get("name"))
                session.add(
                    Item(guide=GUIDE, section=section.value, position=place, slug=item.id, text=text, more=members)
                )
        session.commit()


if __name__ == "__main__":
    fill()
