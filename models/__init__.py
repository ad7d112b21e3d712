"""Learned transforms: blocks, the image model, the zoo and its weights."""
