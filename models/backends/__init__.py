"""One network, many executors: what a network is to them, and how it is exported, captured, built and judged."""
