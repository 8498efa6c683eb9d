"""Guides of every shape, generated: any words, any sections, any contacts."""

from typing import Any

from hypothesis import strategies as st

from app.models.guides.editions import EditionContent

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
WORDS = ANY_TEXT.filter(str.strip) | st.sampled_from(  # an item of spaces says nothing: Markdown has no line for it
    [
        "*not* _emphasis_",
        "two\nlines",
        "[a](https://b.example) <b>",
        "# no heading",
        "Caution: x",
        "Source: x",
        "Note: x",
    ]
)
SLUGS = st.from_regex(r"\A[a-z]{1,8}(-[a-z0-9]{1,8}){0,2}\Z")
CODES = st.lists(
    st.fixed_dictionaries(
        {"scheme": st.just("dfe-assessment-factors"), "code": st.just("10A"), "basis": st.just("source")}
    ),
    max_size=2,
)
PHONES = st.fixed_dictionaries(
    {
        "number": st.just("+441632960001"),
        "display": st.sampled_from(["01632 960001", "960001", "+44 (0)1632 960001", "call us"]),
    },
    optional={"option": st.just("1")},
)
SOURCE = {"title": WORDS, "publisher": WORDS, "published": WORDS, "url": st.just("https://council.example/a")}
HOURS = st.just({"days": ["monday"], "opens": "08:30", "closes": "17:00"})
ADDRESS = st.fixed_dictionaries(
    {"lines": st.lists(WORDS, min_size=1, max_size=2), "town": WORDS, "postcode": st.just("ZZ99 9ZZ")}
)
ITEMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "cautions": ({"text": WORDS}, {}),
    "definitions": (
        {"kind": st.sampled_from(["local", "statutory"]), "text": WORDS},
        {"introduction": WORDS, "source": st.fixed_dictionaries(SOURCE, optional={"citation": WORDS})},
    ),
    "factors": ({"text": WORDS}, {"related_codes": CODES}),
    "indicators": (
        {"text": WORDS, "kind": st.sampled_from(["potential_indicator", "sign_of_harm"])},
        {"note": WORDS, "related_codes": CODES},
    ),
    "linked_risks": ({"text": WORDS}, {"related_codes": CODES}),
    "responsibilities": ({"name": WORDS, "text": WORDS}, {}),
    "contacts": (
        {"name": WORDS, "kind": st.just("telephone"), "phones": st.lists(PHONES, min_size=1, max_size=2)},
        {
            "url": st.just("https://council.example/form"),
            "email": st.just("duty@council.example"),
            "text_relay": st.just("18001 01632 960001"),
            "address": ADDRESS,
            "opening_hours": st.lists(HOURS, max_size=2),
            "when": WORDS,
            "verified_on": st.just("2026-11-24"),
        },
    ),
}
UNPLACED = ("cautions", "definitions")
INTRODUCED = ("factors", "indicators", "linked_risks", "responsibilities", "contacts")


@st.composite
def generated_guides(draw: st.DrawFn) -> EditionContent:
    """Return the content of an edition that can be published."""
    content: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {"title": WORDS, "publisher": st.fixed_dictionaries({"name": WORDS}), "change_note": WORDS},
            optional={
                "owner": WORDS,
                "applies_to": WORDS,
                "review_by": st.just("2027-11-24"),
                "introductions": st.fixed_dictionaries({}, optional=dict.fromkeys(INTRODUCED, WORDS)),
                "source": st.fixed_dictionaries(
                    {"title": WORDS, "publisher": WORDS, "document": WORDS, "sha256": st.just("0" * 64)}
                ),
            },
        )
    )
    for key, (needed, optional) in ITEMS.items():
        item = st.fixed_dictionaries({"id": SLUGS} | needed, optional=optional)
        items = draw(
            st.lists(item, min_size=key in ("cautions", "contacts"), max_size=3, unique_by=lambda each: each["id"])
        )
        content[key] = [
            each if key in UNPLACED else each | {"position": place} for place, each in enumerate(items, start=1)
        ]
    return EditionContent.model_validate(content)
