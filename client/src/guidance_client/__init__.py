"""A client of One Minute Guide: reads published guidance, and raises concerns about children.

For a child in immediate danger, call 999.

`guidance_client.receipts` needs the extra `verify`, and `guidance_client.sealed` the extra `age`.
"""

from guidance_client._async.client import AsyncGuidanceClient
from guidance_client._sync.client import GuidanceClient
from guidance_client.digests import check_digest, digest_of
from guidance_client.edition_cache import EditionCache
from guidance_client.errors import (
    ClientError,
    ConcernRefused,
    NotGenuine,
    ProblemError,
    ServiceUnreachable,
    TooManyRequests,
)
from guidance_client.readings import Reading
from guidance_client.retries import RetryPolicy
from guidance_client.webhooks import check_notice

__all__ = [
    "AsyncGuidanceClient",
    "ClientError",
    "ConcernRefused",
    "EditionCache",
    "GuidanceClient",
    "NotGenuine",
    "ProblemError",
    "Reading",
    "RetryPolicy",
    "ServiceUnreachable",
    "TooManyRequests",
    "check_digest",
    "check_notice",
    "digest_of",
]
