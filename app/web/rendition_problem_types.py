"""Problem types of renditions."""

from app.web.problem_type import ProblemType

RENDITION_NOT_FOUND = ProblemType(
    "no-such-rendition",
    404,
    "No such rendition",
    "The guide has no rendition in this language, or none of this number. Its list of renditions has those that exist.",
)
RENDITION_WITHDRAWN = ProblemType(
    "rendition-withdrawn",
    410,
    "Rendition withdrawn",
    "The rendition, or the edition that it is of, was withdrawn. The detail gives the reason.",
)
