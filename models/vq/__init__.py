"""The vector-quantised model: pictures of 0.01 to 0.1 bits a pixel, as stages of codebook indices."""
