"""Stills: a picture through the model and into a .lnt file, and back.

A Frame becomes a file (encode):

    encoders            which way a model and its wishes ask for
    targets, search     which quality meets a size or a PSNR (staged_targets: how many stages do)
    hidden, resampling  colours that alpha hides are replaced; a picture for few bytes is reduced
    coding              header, tiles, tile_coding: pixels to latents to entropy-coded tiles, and alpha

and back (decode):

    coding              tile_coding, canvas: tiles to latents, latents to pixels across tiles
    finishing           enlarged, turned upright, with alpha and metadata

Models that code in stages go through staged. What damage costs is told by losses and agreement, and filled by
concealment and inpainting; resilience is about surviving it, measured counts what symbols should cost.
"""
