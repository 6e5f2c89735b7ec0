"""What are the main results, in plain sentences: one file a subject, read by terminal and page?"""
