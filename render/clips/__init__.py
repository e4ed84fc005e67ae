"""What is made of films: loops, exports, pictures; films side by side, or one after another."""
