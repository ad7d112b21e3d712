"""The efforts of an encoder: how long it seeks better latents of a picture."""

EFFORTS = (0, 0, 25, 50, 100, 200, 400, 800)  # iterations of each effort
UNCORRECTED, DEFAULT_EFFORT = 0, 1  # without iterations; see ImageCodec.analyse
REFINABLE = "from 2 on latents are sought for image models that were trained for MSE, such as fast"
