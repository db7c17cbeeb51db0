"""One module for each `grant_type` of the token endpoint."""
