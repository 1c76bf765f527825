"""Project configuration: settings, URLs, processes, engines and wiring."""
