"""What happened, on one self-contained page that opens anywhere, prints, and asks nobody for anything."""
