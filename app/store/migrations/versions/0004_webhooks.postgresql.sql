CREATE INDEX ix_deliveries_of_webhook ON deliveries (webhook, state, due)
