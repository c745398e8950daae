"""What each command does, between its settings and the terminal. Imported one at a time: some take seconds."""
