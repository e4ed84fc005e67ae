"""Pure arithmetic of frames: batches, timecuts, boxes, loops."""
