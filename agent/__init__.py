"""What a person meets: commands, settings, and the composition of the rest."""
