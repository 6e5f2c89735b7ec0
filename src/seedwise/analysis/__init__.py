"""What do a study's trials say: from trials to arrays and named results, with no torch and no store?

Figures, report and command line take everything they show from here.
"""
