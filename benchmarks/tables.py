"""The tables of README.md, made of the files in benchmarks/results."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
MODELS = ("fast", "high", "fast-ms-ssim")
ANCHORS = {  # names in README: those in bd.csv
    "JPEG": "JPEG",
    "WebP": "WebP",
    "JPEG XL": "JPEG XL",
    "JPEG 2000": "JPEG 2000",
    "AVIF": "AVIF",
    "AVIF, 4:4:4, tuned for PSNR": "AVIF 4:4:4, PSNR",
    "HEVC intra (x265)": "x265 intra",
    "BPG": "BPG (published)",
    "AV1": "AV1 (published)",
    "VTM": "VTM (published)",
    "CompressAI mbt2018-mean": "mbt2018-mean (published)",
    "CompressAI cheng2020-anchor": "cheng2020-anchor (published)",
}
QUALITIES = range(0, 101, 20)
SIZES = ("768x512", "1920x1080", "4000x3000")
AT_STAGES = {  # at about the bytes of `vq`
    "`vq`": "Linnet vq",
    "JPEG": "JPEG",
    "WebP": "WebP",
    "AVIF, speed 4": "AVIF slow",
    "JPEG XL": "JPEG XL",
    "`fast`": "Linnet fast",
    "`fast-ms-ssim`": "Linnet fast-ms-ssim",
}
LOST = {"0": "0", "0.05": "5 %", "0.1": "10 %", "0.2": "20 %", "0.3": "30 %"}
WITH_LOSSES = {
    "`vq --resilience 25`": "Linnet vq, resilient",
    "`vq --tile 128`": "Linnet vq, tiles",
    "JPEG, rows interpolated": "JPEG, rows interpolated",
    "JPEG, grey gaps": "JPEG",
    "JPEG in the same shares": "JPEG in shares",
}
CLIP_ANCHORS = (
    "x264 medium",
    "x264 veryslow",
    "x265 medium, zero latency",
    "x265 medium",
    "x265 veryslow",
)
CLIPS = {
    "mean": "",
    "BasketballPass": "basketballpass_416x240.mkv",
    "parkour": "davis_parkour_416x240.mkv",
    "park_joy": "park_joy_480x270.y4m",
    "city": "vid4_city_704x576.mkv",
}
SMALL = {
    "`fast`": "Linnet fast",
    "`high`": "Linnet high",
    "JPEG": "JPEG",
    "WebP": "WebP",
    "AVIF, speed 4": "AVIF slow",
    "JPEG XL": "JPEG XL",
}


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file by their heads."""
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def read(name: str) -> dict:
    """A JSON file of results."""
    return json.loads((RESULTS / name).read_text())


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table."""
    return [line(heads), "|---" * len(heads) + "|", *(line(row) for row in rows)]


def line(cells: Sequence[str]) -> str:
    """One row."""
    return f"| {' | '.join(cells)} |"


def against_pictures() -> list[str]:
    """BD-rates on Kodak."""
    found = {
        (row["anchor"], row["test"], row["metric"]): row["rate_percent"]
        for row in rows_of(RESULTS / "kodak" / "bd.csv")
    }
    columns = [
        ("fast", "PSNR", "psnr_db"),
        ("high", "PSNR", "psnr_db"),
        *((model, "MS-SSIM", "ms_ssim") for model in MODELS),
    ]
    heads = ["against", *(f"`{model}`, {name}" for model, name, _ in columns), "its curve"]
    rows = []
    for name, anchor in ANCHORS.items():
        rates = [found[anchor, f"Linnet {model}", metric] for model, _, metric in columns]
        curve = "published" if anchor.endswith("(published)") else "measured here"
        rows.append([name, *(f"{float(rate):+.1f} %" for rate in rates), curve])
    return table(heads, rows)


def qualities() -> list[str]:
    """Rate and distortion of each model on Kodak."""
    found = {(row["codec"], row["value"]): row for row in rows_of(RESULTS / "kodak" / "summary.csv")}
    heads = ["quality"]
    for model in MODELS:
        psnr = [] if model == "fast-ms-ssim" else ["PSNR, dB"]
        heads += [f"`{model}`: bpp", *psnr, "MS-SSIM"]
    rows = []
    for quality in QUALITIES:
        cells = [str(quality)]
        for model in MODELS:
            row = found[f"Linnet {model}", str(quality)]
            psnr = [] if model == "fast-ms-ssim" else [f"{float(row['psnr_db']):.2f}"]
            cells += [f"{float(row['bpp']):.3f}", *psnr, f"{float(row['ms_ssim']):.4f}"]
        rows.append(cells)
    return table(heads, rows)


def speed() -> list[str]:
    """Seconds and memory by size."""
    found = read("speed.json")["rows"]
    heads = [
        "picture",
        *(head for model in ("fast", "high") for head in (f"`{model}`: encode", "decode", "memory")),
    ]
    rows = []
    for size in SIZES:
        cells = [size]
        for model in ("fast", "high"):
            both = [found[model][f"{size} {verb}"] for verb in ("encode", "decode")]
            cells += [f"{each['seconds']:.2f} s" for each in both]
            cells.append(" / ".join(str(each["peak_mib"]) for each in both) + " MiB")
        rows.append(cells)
    return table(heads, rows)


def small_targets() -> list[str]:
    """PSNR of files of so many bits per pixel."""
    targets = read("small_targets.json")["targets_bpp"]
    rows = [
        [bpp, *(f"{found[name]['psnr_db']:.2f}" for name in SMALL.values())] for bpp, found in targets.items()
    ]
    return table(["bpp", *SMALL], rows)


def stages() -> list[str]:
    """MS-SSIM at the bytes of so many stages."""
    rows = []
    for count, found in read("vq.json")["stages"].items():
        if count != "1":
            rate = f"{found['Linnet vq']['bpp']:.3f} ({count} stages)"
            rows.append([rate, *(f"{found[name]['ms_ssim']:.3f}" for name in AT_STAGES.values())])
    return table(["bpp of `vq`", *AT_STAGES], rows)


def losses() -> list[str]:
    """PSNR and MS-SSIM with so many parts lost."""
    found = read("loss.json")["shares"]
    rows = []
    for share, name in LOST.items():
        pairs = [found[codec][share] for codec in WITH_LOSSES.values()]
        rows.append([name, *(f"{psnr_db:.2f}, {ms_ssim:.3f}" for psnr_db, ms_ssim in pairs)])
    return table(["lost", *WITH_LOSSES], rows)


def against_clips() -> list[str]:
    """BD-rates on clips, in RGB PSNR."""
    found = {
        (row["anchor"], row["item"]): float(row["rate_percent"])
        for row in rows_of(RESULTS / "clips" / "bd.csv")
        if (row["test"], row["metric"]) == ("Linnet fast", "psnr_db")
    }
    rows = [
        [anchor, *(f"{found[anchor, item]:+.1f} %" for item in CLIPS.values())] for anchor in CLIP_ANCHORS
    ]
    return table(["against", *CLIPS], rows)


def tables() -> list[list[str]]:
    """All of them."""
    return [
        against_pictures(),
        qualities(),
        speed(),
        small_targets(),
        stages(),
        losses(),
        against_clips(),
    ]
