"""What the installation reports about itself: heartbeats and measurements, shared by Valkey."""
