"""Prompt syntax."""
