"""The store's schema, step by step; `store.schema` applies the steps."""
