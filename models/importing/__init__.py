"""Checkpoints of others become Linnet models: see compressai.import_compressai."""
