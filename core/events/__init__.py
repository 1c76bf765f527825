"""Events: the bus from facts to reactions, and the outbox that makes reactions durable."""
