"""Where the networks run."""

import torch


def device_name(device: str) -> str:
    """`auto` is the first CUDA device where there is one. Raises ValueError for one that is not there."""
    cuda = torch.cuda.is_available()
    if device == "auto":
        return "cuda:0" if cuda else "cpu"
    try:
        kind = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"no device is called '{device}': use auto, cpu or cuda:0") from error
    if kind.type not in ("cpu", "cuda") or (kind.type == "cuda" and not cuda):
        raise ValueError(f"device '{device}' is not available here: use auto or cpu")
    return device
