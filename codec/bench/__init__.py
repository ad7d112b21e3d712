"""Rate-distortion benchmarks: other codecs, metrics, the runner and its reports."""
