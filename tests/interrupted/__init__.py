"""A create that is interrupted at each of its points leaves everything as it was, or says what it left."""
