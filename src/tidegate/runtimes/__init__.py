"""Where it runs: the engine, replay, serving."""
