"""Documents that others wrote, such as DMN and PMML, read in bounded time and memory and without touching a network."""
