"""Demurrage: a daemon that deletes orphaned OpenAI containers, on proof."""
