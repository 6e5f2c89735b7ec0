"""How much of the spread does each seed explain?"""
