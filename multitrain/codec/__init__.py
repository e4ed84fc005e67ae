"""Video as the latents of an autoencoder: a stream of bytes that is written, sent, received."""
