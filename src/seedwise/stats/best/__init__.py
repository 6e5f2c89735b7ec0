"""How good is the best of n trials, and how much of that is the choice?"""
