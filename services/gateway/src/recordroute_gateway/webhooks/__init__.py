"""Tells other systems what happens, by signed HTTP requests that are tried again until they are taken."""
