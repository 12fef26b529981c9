"""What we infer: models, their scores and explanations."""
