"""The sections of an edition with something in each, those too that are empty in the seed."""

from typing import Any

from app.models.sections import Section
from tests.support.publishing import an_edition


def first_example(section: Section) -> dict[str, Any]:
    """An item made of the first examples of its model's fields."""
    fields = section.entry.item.model_fields.items()
    return {name: field.examples[0] for name, field in fields if field.examples} | (
        {"position": 1} if "position" in section.entry.item.model_fields else {}
    )


def filled_sections() -> dict[str, Any]:
    """The sections of the seed's edition, and an item of its own in each that is empty there."""
    content = an_edition().model_dump(mode="json")
    return {section.key: content[section.key] or [first_example(section)] for section in Section}
