"""What a trained network makes of pictures and videos."""
