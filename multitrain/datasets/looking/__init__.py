"""What is in a data set: sizes, colours, look-alikes, a contact sheet, grids for a screen."""
