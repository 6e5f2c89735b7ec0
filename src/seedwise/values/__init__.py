"""What is asked, and what came of it? Frozen values, equal by content, of the standard library alone."""
