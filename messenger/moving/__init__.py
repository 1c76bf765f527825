"""Moving in and out: a website's conversations from other products, and as a file (ADR 0062)."""
