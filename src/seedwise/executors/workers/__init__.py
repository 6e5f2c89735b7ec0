"""What runs in a worker process, and who keeps it busy?"""
