"""Easel: a Discord bot that paints."""

__version__ = "0.1.0"
