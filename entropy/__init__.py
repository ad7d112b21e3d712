"""Integers in, bytes out: exact integer networks, priors, tables, range coding."""
