"""A short but whole edition, for the documentation and for tests. Everything in it is invented."""

from typing import Any

EDITION_EXAMPLE: dict[str, Any] = {
    "title": "‘One Minute Guide’ to an example",
    "publisher": {"name": "Example Council", "gss_code": "E06000000"},
    "change_note": "First edition.",
    "review_by": "2027-11-24",
    "source": {
        "title": "‘One Minute Guide’ to an example",
        "publisher": "Example Council",
        "document": "example.txt",
        "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    },
    "cautions": [{"id": "absence-of-indicators", "text": "Absence of an indicator does not mean absence of harm."}],
    "definitions": [{"id": "local-definition", "kind": "local", "text": "An example is something that shows a rule."}],
    "factors": [
        {"id": "example-factor", "position": 1, "text": "An experience that can make a child more susceptible"}
    ],
    "indicators": [
        {"id": "first-example", "position": 1, "text": "Something to consider", "kind": "potential_indicator"},
        {"id": "second-example", "position": 2, "text": "Something else to consider", "kind": "potential_indicator"},
    ],
    "linked_risks": [{"id": "example-risk", "position": 1, "text": "Another harm"}],
    "responsibilities": [{"id": "identification", "position": 1, "name": "Identification", "text": "Identify it."}],
    "contacts": [
        {
            "id": "example-team",
            "position": 1,
            "name": "Example Team",
            "kind": "telephone",
            "phones": [{"number": "+441632960001", "display": "01632 960001", "option": "1"}],
        }
    ],
}
