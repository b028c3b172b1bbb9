"""Keys, frames and the polar code: from the user's bits to channel bits and back."""
