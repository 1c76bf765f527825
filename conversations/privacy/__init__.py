"""What is stored about somebody: exporting it and erasing it."""
