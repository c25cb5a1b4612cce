"""What the cases are built from: the installed things, one test's world, the gateway in it, and the checks after it."""
