"""The recordings and what was made of them."""
