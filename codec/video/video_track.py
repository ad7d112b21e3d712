"""Media out: the video of a file, with what it states of pixels, colours and times, and its frames."""

from dataclasses import replace

import av
from av import VideoFrame
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.stream import VideoStream

from ...bitstream.clip import ClipFormat, Sampling, Siting
from ...bitstream.errors import UnsupportedVersionError
from ...bitstream.header import Header
from ..frame import Samples
from ..orientation import swaps_sides, upright_size
from .colours import BT709_MATRIX, UNKNOWN_MATRIX, has_known_matrix, matrix_out, no_such_matrix, range_out
from .containers import Container, find_encoder
from .pixel_format import choose_format
from .pixels import FromRgb
from .times import DEFAULT_RATE
from .turning import matrix_of


def clip_as_written(clip: ClipFormat, container: Container) -> ClipFormat:
    """The clip, with a matrix where it had none: one that players are told, or the one that they take.

    Raises:
        UnsupportedVersionError: a colour matrix that is unknown here.
    """
    if clip.sampling is Sampling.RGB:
        clip = replace(clip, matrix=BT709_MATRIX if container.tagged else UNKNOWN_MATRIX)
    if not has_known_matrix(clip.sampling, clip.matrix):
        raise UnsupportedVersionError(
            f"{no_such_matrix(clip.matrix)}: decode to pictures such as frame%04d.png, which have none",
            chunk="header",
        )
    return clip


class VideoTrack:
    """The video stream of a file that is written.

    Attributes:
        orientation: by which frames are turned before they are given. rate: frames per second, nominal.
        stream: FFmpeg's.

    Args:
        file, container: open for writing. codec: a name that people know.
        header, clip: of the clip, the latter as it is written.
    Raises:
        ValueError: no such codec.
    Warns:
        MediaWarning: the codec takes fewer bits a sample.
    """

    def __init__(
        self, file: OutputContainer, container: Container, codec: str, header: Header, clip: ClipFormat
    ) -> None:
        self.orientation = 1 if container.turns else header.orientation
        size = upright_size((header.width, header.height), self.orientation)
        encoder, options = find_encoder(codec)
        form = choose_format(encoder, clip, size, container.rgb)
        self.rate = clip.rate or DEFAULT_RATE
        stream = file.add_stream(encoder, rate=self.rate, options=dict(options))
        assert isinstance(stream, VideoStream)
        self.stream = stream
        stream.width, stream.height = size
        stream.pix_fmt = form
        self._tick = clip.tick if container.timed else 1 / self.rate
        stream.time_base = self._tick
        self._state(clip, form)
        if container.turns and header.orientation != 1:
            stream.set_display_matrix(matrix_of(header.orientation))
        # A y4m file states the centre for halved samples, and PyAV cannot make it state anything else.
        siting = Siting.CENTER if container.name == "yuv4mpegpipe" else clip.siting
        self._from_rgb = FromRgb(replace(clip, siting=siting), form)

    def _state(self, clip: ClipFormat, form: str) -> None:
        """Tell the encoder what its frames will be."""
        context = self.stream.codec_context
        context.time_base = self._tick
        context.thread_type = "AUTO"
        context.flags |= Flags.frame_duration  # else the last frame gets that of the one before
        if clip.aspect:
            turned = swaps_sides(self.orientation)
            context.sample_aspect_ratio = 1 / clip.aspect if turned else clip.aspect
        context.color_primaries, context.color_trc = clip.primaries, clip.transfer
        if not av.VideoFormat(form).is_rgb:
            context.colorspace, context.color_range = matrix_out(clip), range_out(clip)

    def frame(self, pixels: Samples, time: int, duration: int) -> VideoFrame:
        """A frame to encode.

        Args:
            pixels: [H, W, channels], turned. time, duration: in ticks of the clip, or, where the container
                has no times, in frames.
        """
        frame = self._from_rgb(pixels, time)
        frame.time_base = self._tick
        frame.duration = duration
        return frame
