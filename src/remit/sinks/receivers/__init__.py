"""The receivers that Remit knows: how each is reached, and what counts as its having taken something."""
