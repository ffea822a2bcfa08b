"""Events that programs append to files in a shared folder, one JSON object a line."""
