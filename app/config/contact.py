"""Settings of how the service reaches people: reporters through the receipt, the duty team by email."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from app.config.formats import LAST_PORT, OneLine, Whole, WordList

EMAIL_ADDRESS = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+")


def _check_addresses(words: tuple[str, ...]) -> tuple[str, ...]:
    if not all(EMAIL_ADDRESS.fullmatch(word) for word in words):
        raise ValueError("must be email addresses, such as duty@council.example")
    return words


def _check_address(word: str) -> str:
    return _check_addresses((word,))[0]


class ContactSettings(BaseModel):
    """A part of the settings."""

    come_back_days: Whole = Field(
        default=2,
        ge=1,
        le=20,
        description="Working days after which a receipt says that its reporter should look again: the duty team may "
        "have left a question.",
    )
    due_soon_minutes: Whole = Field(
        default=240,
        ge=1,
        le=1440,
        description="Minutes before the time of an acknowledgement at which `concern.due_soon` and "
        "`concern.addition_due_soon` are sent.",
    )
    smtp_host: OneLine | None = Field(
        default=None, description="Mail server by which the duty team gets emails. Unset: none is sent."
    )
    smtp_port: Whole = Field(default=587, ge=1, le=LAST_PORT, description="Port of the mail server.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="How the connection to the mail server is protected: `starttls` (port 587), `tls` from the first "
        "byte (port 465), or `none`, for a relay on this machine.",
    )
    smtp_username: OneLine | None = Field(default=None, description="Name to sign in to the mail server with.")
    smtp_password_file: Path | None = Field(default=None, description="File with the password for that name.")
    smtp_from: Annotated[OneLine, AfterValidator(_check_address)] | None = Field(
        default=None, description="Address that the emails come from."
    )
    smtp_to: Annotated[WordList, AfterValidator(_check_addresses)] = Field(
        default=(), description="Addresses of the duty team, separated by commas or spaces."
    )
