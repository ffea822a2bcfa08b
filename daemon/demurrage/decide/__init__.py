"""The pure core: evidence and one `now` in, verdicts, plans and judgements out."""
