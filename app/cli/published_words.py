"""What a concern's labels are read from, fetched from the service: an edition, and the code lists."""

from app.cli.desk_client import DeskClient
from app.models.code_lists import CodeList
from app.models.guidance.editions import EditionContent
from app.models.links import CODE_LISTS, edition_path
from app.services.guidance.reference_data import ReferenceData


def fetch_edition(service: DeskClient, guide: str, number: int) -> EditionContent:
    """Return the words of the edition. Raises `DeskRequestFailed`."""
    answer = service.call("GET", edition_path(guide, number))
    return EditionContent.model_validate({name: answer[name] for name in EditionContent.model_fields if name in answer})


def fetch_code_lists(service: DeskClient) -> ReferenceData:
    """Return every code list, without signposts. Raises `DeskRequestFailed`."""
    names = [each["name"] for each in service.call("GET", CODE_LISTS)["code_lists"]]
    answers = (service.call("GET", f"{CODE_LISTS}/{name}") for name in names)
    lists = [
        CodeList.model_validate({key: each[key] for key in CodeList.model_fields if key in each}) for each in answers
    ]
    return ReferenceData({each.name: each for each in lists}, ())
