"""How is a study made, run to its end, stopped and continued?"""
