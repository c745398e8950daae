"""Talk3D (Ko et al., "Talk3D: High-Fidelity Talking Portrait Synthesis via Personalized 3D Generative Prior", 2024)."""
