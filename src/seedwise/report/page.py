"""How do texts, tables and figures become one HTML page that runs no script but its own and asks no network?"""

import base64
import hashlib
import html
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["page", "paragraphs", "table", "text"]

_HERE = Path(__file__).parent


def page(title: str, body: str, curves: str) -> str:
    """Return the whole page.

    The policy permits the page's own script by its hash, styles, and nothing else: no request, no other script, no frame.
    """
    script = (_HERE / "browser.js").read_text(encoding="utf-8")
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # An icon of its own, so that no browser asks for one.
        f'<link rel="icon" href="data:,"><title>{text(title)}</title><style>{style}</style></head>\n<body>\n{body}\n'
        f'<script type="application/json" id="trial-curves">{curves}</script>\n<script>{script}</script>\n</body></html>\n'
    )


def paragraphs(sentences: Iterable[str]) -> str:
    """Return sentences as paragraphs, escaped."""
    return "".join(f"<p>{text(sentence)}</p>" for sentence in sentences)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a plain table of texts, escaped; it scrolls where the screen is narrow."""
    head = "".join(f"<th>{text(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td class=long>{text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def text(value: object) -> str:
    """Return any value as text of HTML."""
    return html.escape(str(value))
