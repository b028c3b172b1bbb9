"""The learned parts: generator, decoder, discriminator, and the model that bundles them."""
