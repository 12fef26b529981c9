"""Messages with a schema: a registry and wire format as Confluent has them, Avro, Protocol Buffers."""
