"""What does it bring to start t trials, judge them after a fraction f and keep p?"""
