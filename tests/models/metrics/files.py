"""Weights as their authors publish them, filled by rule."""

import torch

ALEX = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}


def alexnet():
    """Contents of torchvision's file and of LPIPS's."""
    torch.manual_seed(3)
    backbone = {"classifier.1.weight": torch.zeros(2, 2)}
    for i, (after, before, side) in ALEX.items():
        backbone[f"features.{i}.weight"] = torch.randn(after, before, side, side) / side / before**0.5
        backbone[f"features.{i}.bias"] = 0.1 * torch.randn(after)
    linear = {f"lin{k}.model.1.weight": torch.rand(1, after, 1, 1) for k, (after, _, _) in enumerate(ALEX.values())}
    return backbone, linear


def saved(folder, *contents):
    """Each content in a file of its own."""
    paths = [folder / f"{i}.pth" for i in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        torch.save(content, path)
    return paths
