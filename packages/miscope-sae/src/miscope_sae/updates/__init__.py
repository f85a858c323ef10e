"""What a training does beside going down the gradient."""
