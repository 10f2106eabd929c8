"""A service that never becomes ready, and starts faster than any other."""

import time

time.sleep(600)
