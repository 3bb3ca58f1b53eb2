"""One slice on its way to the service and back, and many of them at once."""
