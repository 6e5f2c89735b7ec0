"""How is one trial trained, scored, paused and resumed? `seedwise.training.loop` is the file to read first."""
