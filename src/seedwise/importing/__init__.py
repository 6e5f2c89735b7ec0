"""How do imported runs become trials: from a table of any shape to records with curves?"""
