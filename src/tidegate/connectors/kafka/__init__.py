"""Apache Kafka: where topics are, the clients of a cluster, topics read in one order, and what is written to them."""
