"""Stable Diffusion by Hugging Face's diffusers, in a process of our own.

Why a process and not a thread: importing PyTorch stalls the event loop for about 0.2 s even in a thread, a crash
in a driver or the kernel's out-of-memory killer must not take the bot along, and only the end of a process gives
all of a model's memory back. ``client`` and ``process`` live in the bot; ``worker`` and what it imports are the
child. Between them go ``frames``. Only the child ever imports PyTorch.
"""
