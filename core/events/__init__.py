"""Events: the bus that connects facts to reactions, and the outbox for durable reactions."""
