"""Registration: finding where the canonical tile lies in a picture, without the original."""
