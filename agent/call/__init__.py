"""A call: what this end says and shows, and whom it shows."""
