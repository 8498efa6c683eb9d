"""The examples of the OpenAPI document.

No example of a response is written by hand. The first examples of a model's fields together describe one entry of the
shipped guide, so an example is built from the fields' examples. A route overrides only what its model cannot know
(`response_example`). A test compares each example with the real response.
"""

from typing import Any

from app.web.negotiation import JSON
from app.web.problem_responses import PROBLEM_MEDIA_TYPE

SCHEMA_PREFIX = "#/components/schemas/"

JsonObject = dict[str, Any]


def add_request_examples(operation: JsonObject, schemas: JsonObject) -> None:
    """Copy the example of each path parameter to where documentation pages look for it. Add an example of the body."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter.setdefault("example", build_example(parameter["schema"], schemas))
    body = operation.get("requestBody", {}).get("content", {}).get(JSON)
    if body is not None and "examples" not in {*body, *body["schema"]}:
        body["example"] = build_example(body["schema"], schemas)


def example_path(path: str, operation: JsonObject) -> str:
    """Return the path with the examples of its parameters."""
    examples = {each["name"]: each["example"] for each in operation.get("parameters", []) if each["in"] == "path"}
    return path.format_map(examples)


def add_response_examples(operation: JsonObject, schemas: JsonObject, *, self_link: str | None) -> None:
    """Add an example to each JSON response. In the example of a read, the link `self` is the read's own path."""
    for response in operation["responses"].values():
        for media_type, content in response.get("content", {}).items():
            if "schema" not in content or media_type == PROBLEM_MEDIA_TYPE or not media_type.endswith("json"):
                continue
            example = build_example(content["schema"], schemas)
            if "example" in content:
                example = _override(example, content["example"])
            if self_link is not None and "links" in example:
                example["links"] = example["links"] | {"self": self_link}
            content["example"] = example


def _override(built: Any, override: Any) -> Any:
    """Return the built example with the route's own values put in."""
    if isinstance(override, dict) and override and isinstance(built, dict):
        return built | {name: _override(built.get(name), value) for name, value in override.items()}
    if isinstance(override, list) and isinstance(built, list):
        return [_override(before, after) for before, after in zip(built, override, strict=False)]
    return override


def add_emergency_contacts(responses: JsonObject, schemas: JsonObject) -> None:
    """Add the signposts and the guide's contacts to the problem examples of a path of concerns, as in real problems."""
    properties = schemas["Problem"]["properties"]
    contacts = {name: build_example(properties[name], schemas) for name in ("signposts", "contacts")}
    for response in responses.values():
        for example in response.get("content", {}).get(PROBLEM_MEDIA_TYPE, {}).get("examples", {}).values():
            example["value"] = example["value"] | contacts


def build_example(schema: JsonObject, schemas: JsonObject) -> Any:
    """Return the schema's first example, or build one from the examples of its properties and items."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return build_example(schemas[schema["$ref"].removeprefix(SCHEMA_PREFIX)], schemas)
    if "anyOf" in schema:
        return build_example(schema["anyOf"][0], schemas)
    if "items" in schema:
        return [build_example(schema["items"], schemas)]
    if "properties" in schema:
        return {name: build_example(member, schemas) for name, member in schema["properties"].items()}
    return schema.get("const", next(iter(schema.get("enum", [])), None))
