"""Whom does a study follow, and what did they publish?"""
