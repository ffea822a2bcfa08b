"""Where incidents and the daemon's own errors go; hooked in, never called from `decide`."""
