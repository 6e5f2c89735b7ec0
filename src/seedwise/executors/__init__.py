"""Where do trials run? `base` says what any executor must do; `local` does it with processes on this machine."""
