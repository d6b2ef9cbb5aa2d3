"""What Easel knows without I/O: pure Python, frozen, no clock and no randomness of its own."""
