"""What do the trials of a recipe on several tasks say together?"""
