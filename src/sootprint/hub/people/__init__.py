"""People: passwords, sessions in a browser, their tokens, and authors who claim what others estimated."""
