"""How do somebody else's runs become trials: from a table of any shape to records with curves?"""
