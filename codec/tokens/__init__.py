"""The indices of pictures as arrays, to train on."""
