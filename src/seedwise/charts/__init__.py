"""Which figures can be drawn? One file a figure family: ``..._data`` computes, ``draw_...`` draws."""
