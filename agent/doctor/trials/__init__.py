"""What happens when something that a run needs is used as the run uses it."""
