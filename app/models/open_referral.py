"""What the Open Referral UK stub answers: the parts of that profile (HSDS-UK 3.0) that this service fills.

The profile refuses null: a part that is empty is left out, so whoever writes these models out does it with
`exclude_none=True`. The shorter model of a list is a base of the whole one, and a list writes only what its own has.
The first examples of a model's fields, taken together, are one thing of the shipped guide.

Source: OpenReferralUK/uk-profile, October 2024; `contacts[].phones[]` is core HSDS 3.0, and stands beside the profile.
"""

import datetime as dt
from typing import Any

from pydantic import ConfigDict
from pydantic.json_schema import SkipJsonSchema

from app.models.strict import Answer

ABOUT_PHONES = (
    "Duty and Assessment Team, named in ‘One Minute Guide’ to Child Sexual Exploitation (CSE), edition 1. Telephone: "
    "01225 396312, option 1 (+441225396312); 396313, option 1 (+441225396313). The web address leads to: Request for "
    "Service Form. In immediate danger call 999. Nobody has checked these details yet."
)
SERVICE = "59a8bcc4-a2d5-5d0f-8b1e-1c3a0c3a2d11"

Absent = SkipJsonSchema[None]


def to_milliseconds(moment: dt.datetime) -> str:
    """The moment in UTC to the millisecond, as the profile wants it."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _without_null_defaults(schema: dict[str, Any]) -> None:
    for part in schema["properties"].values():
        if part.get("default", "") is None:
            del part["default"]


class Directory(Answer):
    """Something of the directory: what is empty is left out."""

    model_config = ConfigDict(json_schema_extra=_without_null_defaults)
