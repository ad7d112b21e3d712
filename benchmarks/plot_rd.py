"""Draw the rate-distortion curves that rd.py measured.

python benchmarks/plot_rd.py benchmarks/results/kodak.json benchmarks/results/kodak.png
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

COLOURS = {"Linnet fast": "#c1121f", "JPEG": "#8d99ae", "WebP": "#457b9d"}


def draw(results: Path, target: Path) -> None:
    """PSNR over bits per pixel; measured curves solid, published ones dashed."""
    data = json.loads(results.read_text())
    figure, axes = pyplot.subplots(figsize=(8, 5.5), dpi=110)
    for name, points in data["curves"].items():
        width = 2.4 if name == "Linnet fast" else 1.4
        rates, values = [p["bpp"] for p in points], [p["psnr_db"] for p in points]
        axes.plot(rates, values, "o-", color=COLOURS[name], lw=width, ms=3.5, label=f"{name} (measured)")
    for name, points in data["published_curves"].items():
        rates, values = [p["bpp"] for p in points], [p["psnr_db"] for p in points]
        axes.plot(rates, values, "--", lw=1, label=f"{name} (published)")
    axes.set(xlim=(0, 2.2), ylim=(24, 44), xlabel="bits per pixel, whole files", ylabel="PSNR, RGB, dB")
    axes.set_title(f"{len(data['pictures'])} Kodak pictures, mean")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(target)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
