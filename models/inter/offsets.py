"""How quality differs from frame to frame: better where many frames build on it, worse where none does.

Quality points that are added to the nominal quality of a clip. Frames are predicted from the one before: what
a key frame, every eighth and, less so, every fourth frame behind it hold in detail is handed on, so that the
others need few bits. Encoders may choose others; models are trained with these.
"""

KEY_OFFSET, KEY_OFFSET_FRAMES = 22.0, 22  # and for groups of how many frames
INTER_OFFSETS = (-8.0, 0.0, -8.0, 4.0, -8.0, 0.0, -8.0, 12.0)
