"""Integers in, bytes out: exact integer networks, priors, tables, range coding.

From the bottom up: tables.py and distributions.py hold frequencies; batches.py, words.py and range_coder.py
make bytes of symbols by them, and rate.py only counts the bits. integers.py, layer.py, linear.py,
depthwise.py, convolution.py and block.py are what networks are made of that choose the frequencies. A model
walks its integers with any coder (coder.py): latents in prior.py (with hyper_net.py, prior_net.py and, of
inter frames, temporal_net.py) and hyperprior.py, codebook indices in indices.py (grid_net.py), motion in
motion.py and skips.py.
"""
