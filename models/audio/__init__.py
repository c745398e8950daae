"""From sound to the mouth: features and the streaming network."""
