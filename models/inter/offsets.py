"""How quality differs from frame to frame: better where many frames build on it, worse where none does.

Quality points that are added to the nominal quality of a clip. Frames are predicted from the one before: what
a key frame, and every fourth frame behind it, holds in detail is handed on, so that the others need few bits.
The order is that of HM's low-delay configuration. Encoders may choose others; models are trained with these.
"""

KEY_OFFSET = 15.0
INTER_OFFSETS = (-8.0, 0.0, -8.0, 8.0)
