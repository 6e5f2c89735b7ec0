"""How is a small table written for a notebook, in the colours of the page around it?"""

from collections.abc import Iterable
from html import escape

__all__ = ["html_table"]


def html_table(header: Iterable[str], rows: Iterable[Iterable[str]], caption: str = "") -> str:
    """Return a table in HTML; every word is escaped.

    Example:
        >>> html_table(["n"], [["1 < 2"]])
        '<table><tr><th>n</th></tr><tr><td>1 &lt; 2</td></tr></table>'
    """
    head = "".join(f"<th>{escape(word)}</th>" for word in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(word)}</td>' for word in row)}</tr>" for row in rows)
    return f"<table>{f'<caption>{escape(caption)}</caption>' if caption else ''}<tr>{head}</tr>{body}</table>"
