"""Pillow, off the event loop."""
