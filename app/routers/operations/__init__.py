"""API routes for operators."""
