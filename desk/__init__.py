"""The agents' face: the desk and its entry points. No models."""
