"""Draw docs/images/architecture.svg from the table of layers in tests/test_layers.py.

A room stands one floor above the highest room that it may import; an arrow is left out where a longer way says the same.

    python scripts/draw_architecture.py
"""

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "architecture.svg"
WIDTH, HEIGHT, BOX, TALL, TOP = 880, 92, 96, 34, 24

COLUMNS = {
    **dict.fromkeys(["executors", "engines", "training", "data"], 110),
    "store": 230,
    "study": 280,
    "importing": 345,
    "values": 345,
    "cli": 440,
    "gate": 500,
    "designs": 470,
    "errors": 480,
    "papers": 600,
    "files": 650,
    "report": 725,
    "tables": 660,
    "charts": 790,
    "analysis": 790,
    "stats": 790,
}
"""Where the middle of each room is, so that no arrow passes behind a room."""


def rooms() -> dict[str, frozenset[str]]:
    """Return every room with the rooms it may import, from the table that the tests enforce."""
    spec = importlib.util.spec_from_file_location("layers", ROOT / "tests" / "test_layers.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError("tests/test_layers.py")
    layers = importlib.util.module_from_spec(spec)
    sys.modules["layers"] = layers  # a dataclass looks its module up
    spec.loader.exec_module(layers)
    names = [name for name in layers.TABLE if "." not in name and not name.startswith("__") and name != "embedded"]
    found: dict[str, frozenset[str]] = {}
    for name in names:
        ours = layers.TABLE[name].ours
        target = set(names) if ours is None else {word.partition(".")[0] for word in ours}
        found[name] = frozenset(target & set(names) - {name})
    return found


def arrows(table: Mapping[str, frozenset[str]]) -> set[tuple[str, str]]:
    """Return what is drawn: the imports that follow from no longer way."""

    def below(name: str) -> set[str]:
        return set(table[name]).union(*(below(other) for other in table[name]))

    return {(a, b) for a in table for b in table[a] if not any(b in below(other) for other in table[a])}


def floors(table: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """Return the rooms of each floor, the lowest first."""

    def floor(name: str) -> int:
        return 1 + max((floor(other) for other in table[name]), default=-1)

    highest = max(map(floor, table))
    return [[name for name in table if floor(name) == number] for number in range(highest + 1)]


def svg(table: Mapping[str, frozenset[str]]) -> str:
    """Return the drawing, readable in grey, on white and on black."""
    levels = floors(table)
    place = {
        name: (COLUMNS[name], TOP + HEIGHT * (len(levels) - 1 - number))
        for number, level in enumerate(levels)
        for name in level
    }
    tall = TOP + HEIGHT * len(levels) - HEIGHT + TALL + TOP
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {tall}" role="img" aria-labelledby="t d" '
            'font-family="sans-serif" font-size="14">'
        ),
        '<title id="t">The rooms of seedwise</title>',
        '<desc id="d">Each room may import the rooms that its arrows reach, which all stand below it: '
        + "; ".join(f"{a} {', '.join(sorted(b)) or 'nothing'}" for a, b in table.items())
        + ".</desc>",
        (
            "<style>rect{fill:#fff;stroke:#555;stroke-width:1.5}text{fill:#222}line{stroke:#888;stroke-width:1.3}path{fill:#888}"
            "@media (prefers-color-scheme:dark){rect{fill:#222;stroke:#bbb}text{fill:#eee}}</style>"
        ),
        (
            '<marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
            '<path d="M0 0L8 4L0 8z"/></marker>'
        ),
    ]
    for a, b in sorted(arrows(table)):
        (x, y), (u, v) = place[a], place[b]
        lines.append(f'<line x1="{x}" y1="{y + TALL}" x2="{u}" y2="{v}" marker-end="url(#a)"/>')
    for name, (x, y) in place.items():
        lines.append(f'<rect x="{x - BOX // 2}" y="{y}" width="{BOX}" height="{TALL}" rx="5"/>')
        lines.append(f'<text x="{x}" y="{y + 22}" text-anchor="middle">{name}</text>')
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(svg(rooms()), encoding="utf-8")
    print(PICTURE.relative_to(ROOT))
