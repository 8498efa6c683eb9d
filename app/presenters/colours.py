"""The colour of text on a council's colour."""

EQUAL_CONTRAST_LUMINANCE = 0.179
"""The relative luminance on which black and white text have the same contrast (WCAG 2.2, ratio 4.58)."""


def text_colour_on(colour: str) -> str:
    """Return black or white, the one with more contrast on `#rrggbb`: at least 4.5 to 1 on every colour."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]  # noqa: PLR2004  # sRGB
    luminance = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "#000000" if luminance > EQUAL_CONTRAST_LUMINANCE else "#ffffff"
