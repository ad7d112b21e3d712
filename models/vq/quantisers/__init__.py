"""Vector quantisers behind one interface: vectors in, indices and straight-through vectors out."""
