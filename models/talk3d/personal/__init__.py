"""A person's networks made of a video of theirs, by the procedure of the paper and of the code released with it.

Ko et al. (2024) take the generator's part from VIVE3D (Fruehstueck et al., 2023). In this order: `inversion` (the
latent vector and the cameras of a few frames), `tuning` (the generator learns these frames), `per_frame` (the camera of
every frame), `delta` (the networks that make planes of speech), `drawing` (the super-resolution, last). Each is a
`stage.Stage`, which goes on after a kill with the same numbers.
"""
