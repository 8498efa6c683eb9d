"""Diagrams that need no JavaScript: a Mermaid flowchart becomes a list of its boxes and a list of its arrows."""

import re

FENCE = re.compile(r"^```mermaid\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
BOX = re.compile(r'(\w+)\[?[(\[]*"?(?:<b>(.*?)</b>(?:<br>)?)?([^"\])]*)"?[)\]]+')
ARROW = re.compile(r'^(\w+) -- "(.*?)" --> (\w+)$')


def drawn(markdown: str) -> str:
    """Return the text with each flowchart replaced by two lists: its boxes from top to bottom, and its arrows."""
    return FENCE.sub(lambda fence: _draw(fence[1]), markdown)


def _draw(chart: str) -> str:
    names: dict[str, str] = {}
    arrows = []
    for line in map(str.strip, chart.splitlines()):
        box = BOX.match(line)
        if box and not line.startswith("subgraph"):
            names[box[1]] = " — ".join(each for each in (f"<b>{box[2]}</b>" if box[2] else "", box[3]) if each)
        elif arrow := ARROW.match(line):
            arrows.append(arrow.groups())
    boxes = "".join(f"<li>{text}</li>" for text in names.values())
    short = {key: re.sub(r"</?b>| — .*", "", text) for key, text in names.items()}
    between = "".join(f"<li>{short[start]} → {short[end]}: {label}</li>" for start, label, end in arrows)
    return f'<div class="diagram"><ol>{boxes}</ol><ul>{between}</ul></div>'
