"""Rate-distortion curves as PNG and SVG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NotInstalledError
from .curves import Curve
from .metrics import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINNET_WIDTH, _WIDTH, _PUBLISHED_WIDTH = 2.4, 1.5, 1.1
_MARGIN = 0.04
_COLUMNS = 2
EACH = "-each"


def draw_curves(curves: Sequence[Curve], metric: Metric, title: str, folder: Path) -> list[Path]:
    """Write rd-METRIC.png and .svg; measured curves solid, published ones dashed. The rate is logarithmic.

    Raises:
        NotInstalledError: matplotlib is missing.
    """
    figure = _figure((9, 6))
    axes = figure.subplots()
    _draw(axes, curves, metric, title)
    axes.legend(fontsize="small")
    sources = dict.fromkeys(curve.source for curve in curves if curve.source)
    if sources:
        figure.text(0.01, 0.01, f"dashed: {'; '.join(sources)}", fontsize=5.5, color="0.4")
    figure.tight_layout(rect=(0, 0.02, 1, 1) if sources else None)
    return _save(figure, metric, "", folder)


def draw_items(curves: Mapping[str, Sequence[Curve]], metric: Metric, folder: Path) -> list[Path]:
    """Write rd-METRIC-each.png and .svg: a panel for each file.

    Raises:
        NotInstalledError: matplotlib is missing.
    """
    rows = -(-len(curves) // _COLUMNS)
    figure = _figure((7 * _COLUMNS, 4.6 * rows))
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes, (name, own) in zip(panels, curves.items(), strict=False):
        _draw(axes, own, metric, name)
    for axes in panels[len(curves) :]:
        axes.set_visible(False)
    panels[0].legend(fontsize="small")
    figure.tight_layout()
    return _save(figure, metric, EACH, folder)


def plot_name(metric: Metric, ending: str = "") -> str:
    """Of a plot's files, without suffix. ending: EACH for the one that `draw_items` writes."""
    return f"rd-{metric.key.removesuffix('_db')}{ending}"


def _figure(size: tuple[float, float]) -> "Figure":
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NotInstalledError("plots need matplotlib: pip install 'linnet[bench]'") from error
    return Figure(figsize=size, dpi=110)


def _draw(axes: "Axes", curves: Sequence[Curve], metric: Metric, title: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for index, curve in enumerate(curves):
        rates, values = curve.xy(metric.key)
        if not rates:
            continue
        ours = curve.spec.startswith("linnet")
        width = _LINNET_WIDTH if ours else _WIDTH if curve.spec else _PUBLISHED_WIDTH
        style = "o-" if curve.spec else "--"
        axes.plot(rates, values, style, color=f"C{index % 10}", lw=width, ms=3.5, label=curve.label)
    measured = [curve.xy(metric.key) for curve in curves if curve.spec]
    rates = [rate for each, _ in measured for rate in each]
    values = [value for _, each in measured for value in each]
    if values:  # published curves may go further: the frame is that of the measured ones
        margin = (max(values) - min(values)) * _MARGIN or 1
        axes.set_ylim(min(values) - margin, max(values) + margin)
        axes.set_xlim(min(rates) * 0.9, max(rates) * 1.1)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(xlabel="bits per pixel, whole files", ylabel=metric.label, title=title)
    axes.grid(alpha=0.3, which="both")


def _save(figure: "Figure", metric: Metric, ending: str, folder: Path) -> list[Path]:
    paths = [folder / f"{plot_name(metric, ending)}{suffix}" for suffix in (".png", ".svg")]
    for path in paths:
        figure.savefig(path)
    return paths
