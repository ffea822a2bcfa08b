"""The canary: small paid experiments that tell how a provider behaves where no document does."""
