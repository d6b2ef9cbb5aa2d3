"""Showing and delivering a job in Discord."""
