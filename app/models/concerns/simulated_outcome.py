"""The outcome that a test can choose."""

from enum import StrEnum


class SimulatedOutcome(StrEnum):
    """What a test requests to be answered."""

    ACCEPTED = "accepted"
    BUSY = "busy"
    TOO_MANY = "too_many"
    REFUSED = "refused"
