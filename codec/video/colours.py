"""What samples mean: the words of FFmpeg's frames and pixel formats in those of a clip, and back."""

from av import VideoFormat, VideoFrame
from av.video.reformatter import ColorRange

from ...bitstream.clip import ClipFormat, Range, Sampling

_STEPS = {(0, 0): Sampling.YUV444, (1, 0): Sampling.YUV422, (1, 1): Sampling.YUV420}
BT709_MATRIX, UNKNOWN_MATRIX = 1, 2
_MATRICES = (0, 1, 2, 4, 5, 6, 7, 9)  # of ITU-T H.273, those that FFmpeg converts with


def sampling_of(form: VideoFormat) -> Sampling:
    """The colour samples of a pixel format; rare ones (4:1:1, 4:4:0) count as the next finer common one."""
    if form.is_rgb or form.has_palette:
        return Sampling.RGB
    if len([part for part in form.components if not part.is_alpha]) < 3:
        return Sampling.GREY
    steps = _step(form.chroma_width(16)), _step(form.chroma_height(16))
    return _STEPS.get(steps, Sampling.YUV444)


def _step(samples: int) -> int:
    """1 if there are fewer than 16 colour samples to 16 luma samples."""
    return int(samples < 16)


def has_known_matrix(sampling: Sampling, matrix: int) -> bool:
    """Whether FFmpeg can convert samples of that kind and matrix; RGB needs none."""
    return sampling is Sampling.RGB or matrix in _MATRICES


def no_such_matrix(matrix: int) -> str:
    """Says that a matrix is not among those that FFmpeg converts with."""
    known = ", ".join(map(str, _MATRICES))
    return f"colour matrix {matrix} is not supported, of ITU-T H.273 those are {known}"


def depth_of(form: VideoFormat) -> int:
    """Bits of the deepest sample."""
    return min(16, max(part.bits for part in form.components))


def range_of(frame: VideoFrame) -> Range:
    """The range that a frame states, or that its format means; grey is turned into the full one."""
    if sampling_of(frame.format) is Sampling.GREY:
        return Range.FULL
    if frame.format.is_rgb or frame.format.has_palette or frame.format.name.startswith("yuvj"):
        return Range.FULL
    known = {int(ColorRange.MPEG): Range.LIMITED, int(ColorRange.JPEG): Range.FULL}
    return known.get(int(frame.color_range), Range.UNKNOWN)


def matrix_out(clip: ClipFormat) -> int:
    """The matrix to convert with and to state: for RGB's own the unknown one, for which FFmpeg has BT.601."""
    return UNKNOWN_MATRIX if clip.matrix == 0 else clip.matrix


def range_out(clip: ClipFormat) -> int:
    """What to state as the range of converted frames."""
    if clip.sampling is Sampling.RGB:
        return int(ColorRange.MPEG)
    known = {Range.LIMITED: ColorRange.MPEG, Range.FULL: ColorRange.JPEG}
    return int(known.get(clip.range, ColorRange.UNSPECIFIED))
