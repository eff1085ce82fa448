import os
os.getenv("C")
