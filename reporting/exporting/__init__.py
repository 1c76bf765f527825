"""Files that a worker writes: asked for on a page, kept for some days, fetched there."""
