"""What is encoded: activations of a source's probe or stream, how they are split, scaled and told apart."""
