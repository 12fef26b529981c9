"""The HTTP runtime: decisions asked for over HTTP, in shared batches, durable before they are answered."""
