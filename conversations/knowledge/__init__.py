"""Knowledge: articles, how they are found, rendered and imported."""
