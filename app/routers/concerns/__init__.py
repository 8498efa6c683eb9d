"""API routes for reporters: the form, the submission of a concern, and its follow-up."""
