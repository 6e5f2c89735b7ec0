"""What do many scores say? Statistics on arrays: numpy and scipy only, nothing else of seedwise."""
