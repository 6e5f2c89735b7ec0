"""What a drawn figure says: its words, read from the SVG that it becomes."""

import html
import json
import re

from seedwise.charts.style import to_svg

__all__ = ["words_of"]


def words_of(chart):
    """Draw a chart and return every text in it, in the order drawn; a specification that is no JSON is refused."""
    json.dumps(chart.to_dict(), allow_nan=False)
    return [html.unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", to_svg(chart))]
