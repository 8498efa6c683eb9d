"""What a type of problem is (RFC 9457)."""

from dataclasses import dataclass

from app.models.links import PROBLEMS


@dataclass(frozen=True)
class ProblemType:
    """One type of problem."""

    slug: str
    status: int
    title: str
    meaning: str

    @property
    def type(self) -> str:
        """The problem's `type` member: the path that explains it."""
        return f"{PROBLEMS}/{self.slug}"
