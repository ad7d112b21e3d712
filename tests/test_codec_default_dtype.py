"""Programs set torch's default type or device for themselves: files and pictures stay what they are."""

import os

from machine_settings import outputs_of

PROGRAM = """
import hashlib, io, sys
import numpy as np
import torch
import linnet

def tell(*parts):
    print(*(hashlib.sha256(part).hexdigest()[:16] for part in parts))

if sys.argv[1] == "meta":  # a device without data, as programs set it that build networks to be filled later
    torch.set_default_device("meta")
else:
    torch.set_default_dtype(getattr(torch, sys.argv[1]))
rows, columns = np.mgrid[:80, :96, :1][:2]
pixels = (128 + 90 * np.sin(rows / 9 + columns / 5 + np.arange(3))).astype(np.uint8)
for options in ({}, {"effort": 2}, {"model": "vq"}, {"target_psnr": 25}):
    data = linnet.encode(pixels, **options).data
    tell(data, linnet.decode(data).pixels.tobytes())
    assert linnet.verify(data, full=True).ok
stream = io.BytesIO()
with linnet.VideoWriter(stream, rate=25, quality=30) as clip:
    for shift in range(3):
        clip.write(np.roll(pixels, 3 * shift, 1))
with linnet.VideoReader(stream.getvalue()) as video:
    assert linnet.verify(stream.getvalue(), full=True).ok
    tell(stream.getvalue(), *(frame.pixels.tobytes() for frame in video))
"""


def test_another_default_type_or_device_changes_no_file_and_no_picture() -> None:
    one = {**os.environ, "OMP_NUM_THREADS": "1"}  # thread each: two programs run at once
    settings = [([kind], one) for kind in ("float32", "float64", "float16", "meta")]
    usual, *others = outputs_of(PROGRAM, settings)
    assert len(usual.split()) == 12
    assert others == [usual] * 3
