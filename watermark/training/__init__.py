"""Training: data, curriculum, losses, loop. Run by ``watermark train``."""
