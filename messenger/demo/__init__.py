"""A small shop that embeds the Messenger as any brand's site would; only if DEMO is on."""
