"""What do single rows say: scores over resampled rows, disagreement of seeds, ensembles?"""
