"""Speech to mouth: the synthetic speech with its targets, the network, its training and its tests."""
