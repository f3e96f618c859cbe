"""The same tile program through two compilers: their instructions side by side."""
