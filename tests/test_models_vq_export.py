"""What a model file keeps of a VQ model: folded codebooks, and the change to the other decoder in 8 bits."""

from pathlib import Path

import torch

from linnet.models.training.export_vq import fold_codebooks, perceptual_parts, stored
from linnet.models.training.perceptual import TRAINED
from linnet.models.transforms import ImageConfig
from linnet.models.vq.codec import other_decoder
from linnet.models.vq.config import Stage, VqConfig
from linnet.models.vq.transforms import VqTransforms
from linnet.models.zoo import find

SMALL = VqConfig(
    stages=(Stage(32, 8), Stage(16, 8)),
    width=16,
    vector=4,
    blocks=1,
    image=ImageConfig(latent=32, analysis=16, analysis_blocks=1, synthesis=16, synthesis_blocks=1),
)


def test_theother_decoder_comes_back_to_a_hundredth_of_its_change(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = VqTransforms(SMALL)
    plain = stored(model)
    other = {
        name: value.float() + 0.01 * torch.randn_like(value.float())
        for name, value in model.state_dict().items()
    }
    torch.save({"decoder": other}, tmp_path / "other.pt")
    found = perceptual_parts(tmp_path / "other.pt", plain)
    back = other_decoder(find("vq"), plain | found, "perceptual")
    assert set(back) == {f"transform.{name}" for name in other if name.startswith(TRAINED)}
    for name, value in back.items():
        wanted = other[name.removeprefix("transform.")]
        assert float((value.float() - wanted).square().mean().sqrt()) < 0.01 * 0.01 + 1e-4 * (wanted.ndim < 2)
    assert sum(v.nbytes for v in found.values()) < 0.7 * sum(2 * v.numel() for v in back.values())


def test_folded_codebooks_are_the_same_codes() -> None:
    torch.manual_seed(2)
    model = VqTransforms(SMALL)
    quantisers = [*model.coarse_codes.quantisers(), *model.fine_codes.quantisers()]
    for quantiser in quantisers:
        torch.nn.init.normal_(quantiser.get_parameter("mix"))
    every = torch.arange(8)[None, None]
    before = [quantiser.look_up(every) for quantiser in quantisers]
    fold_codebooks(model)
    assert all(torch.equal(q.look_up(every), b) for q, b in zip(quantisers, before, strict=True))
    assert all(torch.equal(q.get_parameter("mix"), torch.eye(4)) for q in quantisers)
