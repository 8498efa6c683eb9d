"""Validators of formats that others define.

Each is imported when it is used: what they have in common, jsonschema with all its formats, takes a second and a half,
and every process that runs tests collects them all.
"""
# ruff: noqa: PLC0415

from typing import Any


def validate_openapi(document: dict[str, Any]) -> None:
    """Raise for a document that is not valid OpenAPI 3.1."""
    from openapi_spec_validator import OpenAPIV31SpecValidator

    OpenAPIV31SpecValidator(document).validate()


def validate_openapi_2(document: dict[str, Any]) -> None:
    """Raise for a document that is not valid OpenAPI 2.0."""
    from openapi_spec_validator import OpenAPIV2SpecValidator

    OpenAPIV2SpecValidator(document).validate()


def validate_bill(text: str) -> None:
    """Fail for a text that is not a bill of materials of CycloneDX 1.6."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def validate_kubernetes(wanted: dict[str, Any], version: str) -> None:
    """Raise `ValueError` for an object that this version of Kubernetes does not take as it is."""
    import kubernetes_validate

    try:
        kubernetes_validate.validate(wanted, version, strict=True)
    except kubernetes_validate.ValidationError as fault:
        raise ValueError(fault.message) from None
