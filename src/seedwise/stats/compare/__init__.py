"""Is one recipe better than another?"""
