"""Where networks of published measures are to be had: nothing of them comes with this package."""

IDENTITY = (
    "w600k_r50.onnx of buffalo_l.zip at https://github.com/deepinsight/insightface/releases/tag/v0.7, for "
    "non-commercial research"
)
LPIPS = (
    "vgg16-397923af.pth or alexnet-owt-7be5be79.pth of https://download.pytorch.org/models, and vgg.pth or alex.pth of "
    "lpips/weights/v0.1 in github.com/richzhang/PerceptualSimilarity"
)
INCEPTION = "pt_inception-2015-12-05-6726825d.pth of https://github.com/mseitzer/pytorch-fid/releases/tag/fid_weights"
SYNCNET = "syncnet_v2.model of http://www.robots.ox.ac.uk/~vgg/software/lipsync (github.com/joonson/syncnet_python)"
