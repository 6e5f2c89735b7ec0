"""Which tables does a report hold? Rows first, then text, Markdown, LaTeX, CSV or HTML."""
