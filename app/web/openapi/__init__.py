"""The OpenAPI document: FastAPI's own, made true to what is really answered, and open to what may be added."""
