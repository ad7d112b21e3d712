"""What a user calls: encode, decode, verify, info and cutting, and the command line in cli.

A picture comes in by image (other formats) and goes through still to become a file; clips go through video.
files says where bytes come from and go to, tokens has the indices of pictures as arrays, workers does many
files at once, bench measures. frame is the picture that all of them pass on, and orientation what turns it.
"""
