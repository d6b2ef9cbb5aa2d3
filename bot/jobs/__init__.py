"""The Jobs service over a small engine protocol."""
