"""What we infer: models made of trees, walked by our own kernels; how they are stored, trained and explained."""
